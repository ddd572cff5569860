import type { Connection } from './connection.js'
import type { Context } from './context.js'
import type { Destination } from './destination.js'

/** What one dial is given beside its destination; it holds for that dial only, and nothing of it for the connection afterwards. */
export interface DialOptions {
  /** Breaks the dial off at any moment: what was opened is destroyed and `dial` rejects with `signal.reason` as it is. */
  readonly signal: AbortSignal
  /** ALPN protocols to offer, most wanted first, in place of those of the stream settings. Without TLS it has no effect. */
  readonly alpn?: readonly string[]
  /** The session on whose behalf this is dialled, for logs. A pooled connection has none. */
  readonly session?: Context
  /** Told what is under way: `dial` at first, `tls` when the handshake begins. Says where a limit that ran out was spent. */
  readonly onPhase?: (phase: 'dial' | 'tls') => void
}

/**
 * Opens connections as an outbound's stream settings say: TLS, source address, keep-alive, counters, or a way through another
 * outbound are its business and invisible to the outbound.
 *
 * **One dialer object is one connection identity.** Whatever it dials to one destination is interchangeable, and nothing that
 * another dialer dialled is: a pool therefore hangs on the dialer object, in a `WeakMap<Dialer, …>`.
 */
export interface Dialer {
  /**
   * Resolves once bytes can be written: after the TCP connect, and with TLS after its handshake and the check of the certificate.
   *
   * The connection allows half-open use, has Nagle's delay off, and carries an `error` listener, so that a fault to which nobody
   * listens yet does not end the process. It belongs to the caller, who ends or aborts it.
   *
   * @throws {ProxyError} with the cause: DNS, DIAL, TLS, CERT, ALPN. Side `upstream`, or `internal` where this machine cannot dial
   *   (no descriptors, no such local address). Nothing stays open.
   * @throws `options.signal.reason` when aborted.
   */
  dial(to: Destination, options: DialOptions): Promise<Connection>
}
