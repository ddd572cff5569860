import type { Connection } from './connection.js'
import type { Dialer } from './dialer.js'
import type { Endpoint } from './destination.js'
import type { OutboundHandler } from './outbound.js'

/**
 * Settings of the byte stream under an inbound or outbound (`streamSettings`). The transport module fills this interface by
 * declaration merging and checks it with its own schema.
 */
// eslint-disable-next-line @typescript-eslint/no-empty-interface
export interface StreamSettings {}

/** What one outbound of a config wants of its dialer, which then serves all sessions of that outbound. */
export interface DialerSpec {
  /** Tag of the outbound; names its counters. `''`: none are kept. */
  readonly tag: string
  readonly stream: StreamSettings
  /** Local IP address to dial from (`sendThrough`). */
  readonly localAddress?: string
  /** The outbound through which everything is dialled (`proxySettings.tag`). Asked for at the first dial, not before. */
  readonly through?: () => OutboundHandler
}

/** Makes the one dialer of each outbound handler. */
export interface DialerFactory {
  /**
   * Reads certificate files; opens no socket.
   * @throws {ConfigError} with paths below `streamSettings`.
   */
  create(spec: DialerSpec): Dialer
}

/** Where one inbound of a config listens and what it speaks below its protocol. */
export interface ListenerSpec {
  readonly listen: string
  /** 0: the kernel picks one. */
  readonly port: number
  readonly stream: StreamSettings
  /** How long a TLS handshake may take; 0 = no limit. */
  readonly handshakeMs: number
  /** Connections at once, those in their TLS handshake among them; further ones are closed at once. @default 10_000 */
  readonly maxConnections?: number
  /** Protocols to agree on over TLS, most wanted first, where `stream` names none. @default http/1.1 */
  readonly alpn?: readonly string[]
}

/** One listening socket and the connections that it accepted. */
export interface Listener {
  /**
   * Starts to listen. Connections are handed over after their TLS handshake, with half-open use allowed and an `error` listener.
   * @returns The address that is listened on.
   * @throws {Error} what `listen(2)` says, with address and port in its message.
   */
  start(onConnection: (connection: Connection) => void): Promise<Endpoint>
  /** Accepts no more; handed-over connections live on, unfinished TLS handshakes are cut. Idempotent. */
  stop(): void
  /** Stops, aborts every connection that is left, and resolves when all are closed. Idempotent. */
  close(): Promise<void>
}

/** Makes the one listener of each inbound handler. */
export interface ListenerFactory {
  /**
   * Reads certificate files; opens no socket.
   * @throws {ConfigError} with paths below `streamSettings`.
   */
  create(spec: ListenerSpec): Listener
}
