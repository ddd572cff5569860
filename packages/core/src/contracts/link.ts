import type { Readable, Writable } from 'node:stream'

/** Header fields in the order sent; names keep their case, and a name may come more than once. */
export type HeaderList = readonly (readonly [name: string, value: string])[]

/** In which form a plain HTTP request's head goes into `reader` (RFC 9112 §3.2), and fields to add to it. */
export interface RequestForm {
  readonly form: 'origin' | 'absolute'
  readonly headers?: HeaderList
}

/** A plain HTTP request that the inbound has parsed. `path` starts with a slash; hop-by-hop fields are gone. */
export interface HttpRequestHead {
  readonly method: string
  readonly scheme: string
  readonly path: string
  readonly headers: HeaderList
}

/**
 * The inbound's side of one session.
 *
 * `reader` is what the client sends, `writer` goes to the client. Both are Node streams with Node's own back-pressure, and for
 * a socket both are the socket itself: an outbound hands the link to `relay` and never wraps it.
 *
 * Before `open` nobody but the inbound touches the streams. So an attempt that failed has consumed nothing and can be made
 * again on another server.
 *
 * | moment | what happens to the link |
 * |---|---|
 * | `process` rejects before `open` | it is untouched; the inbound answers its client truthfully and closes |
 * | `process` resolves without `open` | a bug of the outbound: INTERNAL, and the link is aborted |
 * | after `open` | `relay` ends both streams; a rejection of `process` is recorded and logged, no more |
 */
export interface Link {
  readonly reader: Readable
  readonly writer: Writable
  /** Whether `open` was called. */
  readonly opened: boolean
  /**
   * The target can be reached: the inbound answers its client (SOCKS `REP 00`, HTTP `200`). To be called exactly when a tunnel
   * is ready, once; further calls do nothing.
   *
   * @param how For a plain HTTP request (`http`): in which form its head is written into `reader`. @default origin form
   */
  open(how?: RequestForm): void
  /**
   * Ends both streams at once and visibly as an error: a TCP RST where the transport has one, never a clean end.
   * Idempotent; allowed before and after `open`.
   */
  abort(error: Error): void
  /** Set when the session is one plain HTTP request, whose head enters `reader` only at `open`. */
  readonly http?: HttpRequestHead
}
