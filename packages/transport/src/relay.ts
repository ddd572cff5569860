import type { Connection, Link, SessionRecord } from '@sluice/core'
import { RelaySession } from './relay-session.js'

/** What `relay` needs beside the two sides. A `Policy` has the limits. */
export interface RelayOptions {
  /** Bytes, `truncated` and `outcome` are written to it. */
  readonly record: SessionRecord
  /** Cuts the session at any moment. */
  readonly signal: AbortSignal
  /** With no byte moved either way for this long, the session ends; 0 = no limit. */
  readonly connIdleMs: number
  /** After the target's end, the client may stay idle for this long; 0 = ends at once, after flushing. */
  readonly uplinkOnlyMs: number
  /** After the client's end, the target may stay idle for this long; 0 = ends at once, after flushing. */
  readonly downlinkOnlyMs: number
  /** `hold`: the client's end is not passed on to the upstream before the target has ended. @default 'propagate' */
  readonly halfClose?: 'propagate' | 'hold'
}

/**
 * Moves the bytes of one open session, both ways, until it ends. This is the one place where bytes move.
 *
 * Each direction ends by itself: an end of one side is passed on behind the bytes before it, and the other side may go on for
 * as long as the policy lets it. When the promise settles, both sides have been ended, exactly once, and nothing listens to them
 * or is timed any more.
 *
 * It resolves with outcome `closed` once both directions have ended and are flushed, and with outcome `idle` after `connIdleMs`.
 * Limits are kept to a twentieth, and to 128 ms.
 *
 * What counts as cut, not ended: a TCP RST, RST_STREAM, a lost HTTP/2 session, a stream destroyed before its end. The other side is then
 * aborted, so that its peer never takes a part for the whole. If the upstream is lost only after the target's end, the client
 * gets all that came, and what it still sends is thrown away for at most `uplinkOnlyMs`.
 *
 * @param connection The tunnel. Belongs to this call from now on.
 * @throws {ProxyError} ABORT, side `downstream` or `upstream`, with the cause.
 * @throws `options.signal.reason` as it is; both sides are aborted.
 */
export function relay(link: Link, connection: Connection, options: RelayOptions): Promise<void> {
  return new Promise((resolve, reject) => new RelaySession(link, connection, options, resolve, reject).start())
}
