import { constants, type ServerHttp2Stream } from 'node:http2'
import { deadline } from '@sluice/transport'
import type { Answer } from '../answer.js'

const LINGER_MS = 10_000

/** The answer that opens a tunnel (RFC 9113 §8.5). It has no fields of ours: what follows is the target's. */
export function openStream(stream: ServerHttp2Stream): void {
  if (isOpen(stream)) stream.respond({ ':status': 200 })
}

/**
 * Answers a request that opened no tunnel, and ends its stream. What the client still sends there is dropped, and it is asked to
 * send no more (RFC 9113 §8.1). A client that takes no answer for 10 s gets none.
 */
export function refuseStream(stream: ServerHttp2Stream, { status, fields, body }: Answer, lingerMs = LINGER_MS): void {
  if (!isOpen(stream)) return
  const headers = Object.fromEntries(fields.map(([name, value]) => [name.toLowerCase(), value]))
  stream.once('close', deadline(lingerMs, () => stream.close(constants.NGHTTP2_CANCEL)))
  stream.respond({ ...headers, ':status': status })
  stream.resume()
  // The answer to HEAD has no content, and Node has ended the stream already.
  if (!stream.writableEnded) stream.end(body, () => stream.close(constants.NGHTTP2_NO_ERROR))
}

function isOpen(stream: ServerHttp2Stream): boolean {
  return !stream.destroyed && !stream.closed
}
