/**
 * Several inbound protocols on one port, told by the first byte of a connection.
 *
 * @example
 * ```ts
 * import { createInstance } from '@sluice/core'
 * import { mixedInbound } from '@sluice/inbound-mixed'
 * import { socksInbound } from '@sluice/inbound-socks'
 * import { transport } from '@sluice/transport'
 *
 * createInstance({ inbounds: [{ protocol: 'mixed', port: 1080 }] }, { modules: [transport, mixedInbound, socksInbound] })
 * ```
 *
 * @packageDocumentation
 */
import { defineInbound } from '@sluice/core'
import { upgradeDialects } from './dialects.js'
import { MixedInbound } from './mixed-inbound.js'
import { mixedInboundSchema } from './settings.js'

/** The `mixed` protocol for `createInstance`. It serves what other registered modules speak. */
export const mixedInbound = defineInbound({
  protocol: 'mixed',
  schema: mixedInboundSchema,
  upgrade: upgradeDialects,
  authenticates: ({ accounts = [] }) => accounts.length > 0,
  useClass: MixedInbound,
})

export { MixedInbound } from './mixed-inbound.js'
export type { MixedInboundSettings } from './settings.js'
