/**
 * The outbound that refuses every session: the client is told so at once.
 *
 * @example
 * ```ts
 * import { createInstance } from '@sluice/core'
 * import { blackholeOutbound } from '@sluice/outbound-blackhole'
 * import { transport } from '@sluice/transport'
 *
 * createInstance({ outbounds: [{ protocol: 'blackhole', tag: 'no' }] }, { modules: [transport, blackholeOutbound] })
 * ```
 *
 * @packageDocumentation
 */
import { defineOutbound } from '@sluice/core'
import { BlackholeOutbound } from './blackhole-outbound.js'
import { blackholeSchema } from './settings.js'

/** The `blackhole` protocol for `createInstance`. */
export const blackholeOutbound = defineOutbound({ protocol: 'blackhole', schema: blackholeSchema, useClass: BlackholeOutbound })

export { BlackholeOutbound } from './blackhole-outbound.js'
export type { BlackholeOutboundSettings } from './settings.js'
