/**
 * The HTTP CONNECT outbound: carries sessions through upstream HTTP proxies.
 *
 * @example
 * ```ts
 * import { createInstance } from '@sluice/core'
 * import { httpOutbound } from '@sluice/outbound-http'
 * import { transport } from '@sluice/transport'
 *
 * const servers = [{ address: 'proxy.example', port: 3128, users: [{ user: 'me', pass: 'secret' }] }]
 * createInstance({ outbounds: [{ protocol: 'http', settings: { servers } }] }, { modules: [transport, httpOutbound] })
 * ```
 *
 * @packageDocumentation
 */
import { defineOutbound } from '@sluice/core'
import { checkSettings } from './check-settings.js'
import { upgradeDialects } from './dialects.js'
import { HttpOutbound } from './http-outbound.js'
import { httpOutboundSchema } from './settings.js'

/** The `http` protocol for `createInstance`. */
export const httpOutbound = defineOutbound({
  protocol: 'http',
  schema: httpOutboundSchema,
  upgrade: upgradeDialects,
  check: checkSettings,
  useClass: HttpOutbound,
})

export { HttpOutbound } from './http-outbound.js'
export type { AccountSettings, HalfClose, HttpOutboundSettings, ServerSettings } from './settings.js'
