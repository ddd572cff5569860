import type { Duplex } from 'node:stream'

/**
 * One byte stream to a peer: a `net.Socket`, `tls.TLSSocket`, `Http2Stream` or one end of a connection pair, each as it is.
 *
 * Nobody wraps a connection in another stream: `relay` is fast because it sees the bare one. Both halves end independently
 * (`allowHalfOpen`), `end()` sends this side's FIN, and only the transport's `abort()` ends both sides as an error.
 */
export type Connection = Duplex & {
  /** The protocol that TLS agreed on; `false`: TLS without ALPN; `undefined` or `null`: no TLS. */
  readonly alpnProtocol?: string | false | null
  /** The peer's IP address, where there is one. */
  readonly remoteAddress?: string | undefined
  readonly remotePort?: number | undefined
}
