import { constants } from 'node:http2'
import { Socket } from 'node:net'
import type { Duplex, Readable, Writable } from 'node:stream'
import { TLSSocket } from 'node:tls'
import { isHttp2Stream } from './http2-stream.js'
import { ignoreErrors } from './ignore-errors.js'
import { rawSocketOf } from './raw-socket.js'

/**
 * Ends a stream at once and visibly as an error, never as an end in order. Idempotent; what is not flushed is lost.
 *
 * - TCP: RST. A TLS socket: RST of the socket under it, as far as `linkRawSocket` made it known.
 * - HTTP/2: RST_STREAM(CONNECT_ERROR) (RFC 9113 §8.5).
 * - One end of a connection pair: the other end fails with the same error.
 * - Anything else, and what is still connecting: `destroy(error)`.
 *
 * The stream's `error` event harms nobody, even if nobody listens to it.
 */
export function abort(stream: Duplex | Readable | Writable, error: Error): void {
  if (stream.destroyed) return
  ignoreErrors(stream)
  if (isHttp2Stream(stream)) return void stream.close(constants.NGHTTP2_CONNECT_ERROR)
  if (stream instanceof TLSSocket) {
    const raw = rawSocketOf(stream)
    if (raw !== undefined) abort(raw, error)
    return void stream.destroy(error)
  }
  if (stream instanceof Socket && isOpenTcp(stream)) return void stream.resetAndDestroy()
  stream.destroy(error)
}

/** A pipe, or a socket without a peer, has nobody to send an RST to, and Node throws or waits if asked for one. */
function isOpenTcp(socket: Socket): boolean {
  return !socket.connecting && socket.remoteAddress !== undefined
}
