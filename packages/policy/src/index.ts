/**
 * The section `policy`: timeouts and statistics switches by user level.
 *
 * @example
 * ```ts
 * import { createInstance } from '@sluice/core'
 * import { policyFeature } from '@sluice/policy'
 * import { transport } from '@sluice/transport'
 *
 * const config = { policy: { levels: { 0: { connIdle: 60 }, 1: { handshake: 4.5, statsUserUplink: true } } } }
 * const instance = createInstance(config, { modules: [policyFeature, transport] })
 * ```
 *
 * @packageDocumentation
 */
export { LevelPolicyManager } from './level-policy-manager.js'
export { policyFeature } from './policy-feature.js'
export { policySchema, type LevelSettings, type PolicySettings, type SystemSettings } from './policy-settings.js'
