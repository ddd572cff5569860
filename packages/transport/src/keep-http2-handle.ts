import type { Http2Session } from 'node:http2'

/** Node frees what a stream holds in the turn after its end; this is far beyond it. */
const KEEP_MS = 1_000

/**
 * Keeps Node's inner part of an HTTP/2 session from being collected right at its end, before those of its streams.
 *
 * A stream whose header block was never finished holds memory that belongs to the session. If the session is collected first, Node 20
 * finds its accounts wrong and ends the process (`current_nghttp2_memory_ == 0`): any peer could end it. To be called once the session
 * is connected.
 */
export function keepHttp2Handle(session: Http2Session): void {
  const key = Object.getOwnPropertySymbols(session).find(({ description }) => description === 'kHandle')
  if (key === undefined) return
  const handle: unknown = Reflect.get(session, key)
  // The timer holds its argument.
  session.once('close', () => setTimeout(forget, KEEP_MS, handle).unref())
}

function forget(_handle: unknown): void {}
