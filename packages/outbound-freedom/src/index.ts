/**
 * The outbound that dials the target itself, without a proxy.
 *
 * @example
 * ```ts
 * import { createInstance } from '@sluice/core'
 * import { freedomOutbound } from '@sluice/outbound-freedom'
 * import { transport } from '@sluice/transport'
 *
 * createInstance({ outbounds: [{ protocol: 'freedom', tag: 'direct' }] }, { modules: [transport, freedomOutbound] })
 * ```
 *
 * @packageDocumentation
 */
import { defineOutbound } from '@sluice/core'
import { FreedomOutbound } from './freedom-outbound.js'
import { freedomSchema } from './settings.js'

/** The `freedom` protocol for `createInstance`. */
export const freedomOutbound = defineOutbound({ protocol: 'freedom', schema: freedomSchema, useClass: FreedomOutbound })

export { FreedomOutbound } from './freedom-outbound.js'
export type { FreedomOutboundSettings } from './settings.js'
