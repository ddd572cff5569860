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
import { defineOutbound, fault } from '@sluice/core'
import { upgradeDialects } from './dialects.js'
import { FreedomOutbound } from './freedom-outbound.js'
import { parseRedirect } from './redirect.js'
import { freedomSchema } from './settings.js'

/** The `freedom` protocol for `createInstance`. */
export const freedomOutbound = defineOutbound({
  protocol: 'freedom',
  schema: freedomSchema,
  upgrade: upgradeDialects,
  check: ({ redirect }) => redirect === undefined || parseRedirect(redirect) !== undefined
    ? []
    : [fault(['redirect'], `must be host:port, :port or host:0, not "${redirect}"`)],
  useClass: FreedomOutbound,
})

export { FreedomOutbound } from './freedom-outbound.js'
export type { DomainStrategy, FreedomOutboundSettings } from './settings.js'
