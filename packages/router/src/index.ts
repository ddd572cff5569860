/**
 * The section `routing`: which outbound takes which session.
 *
 * @example
 * ```ts
 * import { createInstance } from '@sluice/core'
 * import { routingFeature } from '@sluice/router'
 *
 * const routing = { rules: [{ inboundTag: ['office'], outboundTag: 'proxy' }] }
 * const instance = createInstance({ inbounds, outbounds, routing }, { modules: [routingFeature, ...others] })
 * ```
 *
 * @packageDocumentation
 */
export { routingFeature } from './routing-feature.js'
export { routingSchema, type RoutingRule, type RoutingSettings, type StringList } from './routing-settings.js'
export { RuleRouter } from './rule-router.js'
