/**
 * Where bytes meet sockets: dialers and listeners, and what joins, limits and ends the streams of a session.
 *
 * @example
 * ```ts
 * import { connectionPair, relay, SocketLink } from '@sluice/transport'
 *
 * const [client, downstream] = connectionPair()
 * const [upstream, target] = connectionPair()
 * const record = { startedAt: Date.now(), uplinkBytes: 0, downlinkBytes: 0, attempts: 1 }
 * const limits = { connIdleMs: 300_000, uplinkOnlyMs: 2_000, downlinkOnlyMs: 5_000 }
 * client.end('question')
 * target.end('answer')
 * await relay(new SocketLink(downstream, () => {}), upstream, { ...limits, record, signal: new AbortController().signal })
 * console.log(record.uplinkBytes, record.downlinkBytes)
 * ```
 *
 * @packageDocumentation
 */
export { abort } from './abort.js'
export { connectionPair } from './connection-pair.js'
export { deadline } from './deadline.js'
export { decode, UnexpectedEnd, type Decoder } from './decode.js'
export { hangUp } from './hang-up.js'
export { keepHttp2Handle } from './keep-http2-handle.js'
export { limitSignal, type LimitSignal } from './limit-signal.js'
export { linkRawSocket } from './raw-socket.js'
export { relay } from './relay.js'
export type { RelayOptions } from './relay-options.js'
export { SocketLink } from './socket-link.js'
export type { SocketOptionSettings, TcpSettings, TlsCertificateSettings, TlsSettings, TlsVersion } from './stream-settings.js'
export { transport } from './transport-module.js'
