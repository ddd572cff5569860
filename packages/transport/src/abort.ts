import { constants } from 'node:http2'
import { Socket } from 'node:net'
import type { Duplex, Readable, Writable } from 'node:stream'
import { TLSSocket } from 'node:tls'
import { isHttp2Stream, resetHttp2Stream } from './http2-stream.js'
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
  if (isHttp2Stream(stream)) resetHttp2Stream(stream, constants.NGHTTP2_CONNECT_ERROR)
  else if (!(stream instanceof Socket)) stream.destroy(error)
  else if (isShuttingDown(stream)) resetAfterShutdown(stream, error)
  else reset(stream, error)
}

function reset(socket: Socket, error: Error): void {
  if (socket instanceof TLSSocket) {
    resetWithTls(socket, error)
    socket.destroy(error)
  } else if (canReset(socket)) socket.resetAndDestroy()
  else socket.destroy(error)
}

/**
 * Lets the TCP socket under a TLS socket be reset when the latter is destroyed, which destroys both.
 *
 * To reset it before that and destroy the TLS socket afterwards, as others may, ends Node 20 with a segmentation fault.
 */
function resetWithTls(tls: TLSSocket, error: Error): void {
  const raw = rawSocketOf(tls)
  if (raw instanceof TLSSocket) resetWithTls(raw, error)
  else if (raw instanceof Socket && canReset(raw)) {
    raw.destroy = () => {
      Reflect.deleteProperty(raw, 'destroy')
      return raw.resetAndDestroy()
    }
  } else if (raw !== undefined) abort(raw, error)
}

/** A pipe, or a socket without a peer, has nobody to send an RST to, and Node throws or waits if asked for one. */
function canReset(socket: Socket): boolean {
  return !socket.connecting && socket.remoteAddress !== undefined
}

/** From the last write to the FIN behind it: libuv refuses to reset then, and Node 20 never closes the descriptor if asked to. */
function isShuttingDown(socket: Socket): boolean {
  return !socket.connecting && socket.writableEnded && !socket.writableFinished && socket.writableLength === 0
}

/** The FIN leaves in the next turn of the event loop, except where TLS has bytes before it that nobody takes. */
function resetAfterShutdown(socket: Socket, error: Error): void {
  socket.once('finish', () => reset(socket, error))
  setImmediate(() => setImmediate(() => socket.destroy(error)))
}
