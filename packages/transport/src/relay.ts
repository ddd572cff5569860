import type { Connection, Link } from '@sluice/core'
import type { RelayOptions } from './relay-options.js'
import { RelaySession } from './relay-session.js'

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
