/**
 * The HTTP inbound: CONNECT over HTTP/1.x, and over HTTP/2 with TLS; plain requests; with or without Basic accounts.
 *
 * @example
 * ```ts
 * import { createInstance } from '@sluice/core'
 * import { httpInbound } from '@sluice/inbound-http'
 * import { transport } from '@sluice/transport'
 *
 * const settings = { accounts: [{ user: 'me', pass: 'secret' }] }
 * createInstance({ inbounds: [{ protocol: 'http', port: 8080, settings }] }, { modules: [transport, httpInbound] })
 * ```
 *
 * @packageDocumentation
 */
import { defineInbound } from '@sluice/core'
import { upgradeDialects } from './dialects.js'
import { HttpInbound } from './http-inbound.js'
import { checkSettings, httpInboundSchema } from './settings.js'

/** The `http` protocol for `createInstance`. */
export const httpInbound = defineInbound({
  protocol: 'http',
  schema: httpInboundSchema,
  upgrade: upgradeDialects,
  check: checkSettings,
  authenticates: ({ accounts = [] }) => accounts.length > 0,
  // A method starts with an upper-case letter.
  claims: (firstByte) => firstByte >= 0x41 && firstByte <= 0x5a,
  alpn: ['h2', 'http/1.1'],
  useClass: HttpInbound,
})

export { HttpInbound } from './http-inbound.js'
export type { HttpInboundSettings } from './settings.js'
