/**
 * The SOCKS inbound: CONNECT in SOCKS 5, with or without user and password, and in SOCKS 4 and 4a.
 *
 * @example
 * ```ts
 * import { createInstance } from '@sluice/core'
 * import { socksInbound } from '@sluice/inbound-socks'
 * import { transport } from '@sluice/transport'
 *
 * const settings = { auth: 'password', accounts: [{ user: 'me', pass: 'secret' }] } as const
 * createInstance({ inbounds: [{ protocol: 'socks', port: 1080, settings }] }, { modules: [transport, socksInbound] })
 * ```
 *
 * @packageDocumentation
 */
import { defineInbound } from '@sluice/core'
import { upgradeDialects } from './dialects.js'
import { checkSettings, socksInboundSchema } from './settings.js'
import { SocksInbound } from './socks-inbound.js'

const SOCKS4 = 4
const SOCKS5 = 5

/** The `socks` protocol for `createInstance`. */
export const socksInbound = defineInbound({
  protocol: 'socks',
  schema: socksInboundSchema,
  upgrade: upgradeDialects,
  check: checkSettings,
  authenticates: ({ auth }) => auth === 'password',
  claims: (firstByte) => firstByte === SOCKS5 || firstByte === SOCKS4,
  useClass: SocksInbound,
})

export type { SocksInboundSettings } from './settings.js'
export { SocksInbound } from './socks-inbound.js'
