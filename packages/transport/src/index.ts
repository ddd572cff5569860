/**
 * Where bytes meet sockets: dialers and listeners, and what joins, limits and ends the streams of a session.
 *
 * @example
 * ```ts
 * import { relay } from '@sluice/transport'
 *
 * const connection = await dialer.dial(ctx.target, { signal: ctx.signal })
 * link.open()
 * await relay(link, connection, { ...policies.forLevel(0), record: ctx.record, signal: ctx.signal })
 * ```
 *
 * @packageDocumentation
 */
export { abort } from './abort.js'
export { connectionPair } from './connection-pair.js'
export { deadline } from './deadline.js'
export { decode, UnexpectedEnd, type Decoder } from './decode.js'
export { hangUp } from './hang-up.js'
export { limitSignal, type LimitSignal } from './limit-signal.js'
export { linkRawSocket } from './raw-socket.js'
export { relay } from './relay.js'
export type { RelayOptions } from './relay-options.js'
export { SocketLink } from './socket-link.js'
export type { SocketOptionSettings, TcpSettings, TlsCertificateSettings, TlsSettings, TlsVersion } from './stream-settings.js'
export { transport } from './transport-module.js'
