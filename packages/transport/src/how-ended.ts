import { Socket } from 'node:net'
import { constants } from 'node:os'
import type { Duplex, Readable, Writable } from 'node:stream'
import { TLSSocket } from 'node:tls'
import { isHttp2Stream } from './http2-stream.js'
import { rawSocketOf } from './raw-socket.js'

/** `truncated`: a TLS peer ended without close_notify (RFC 8446 §6.1). */
export type Ending = 'in order' | 'truncated' | 'reset'

/** What of a socket's native handle is asked here. Not public in Node: each function may be missing, and then nothing is known. */
interface SocketHandle {
  readonly getpeername?: (out: object) => number | undefined
  readonly readStart?: () => number
}

const NOT_CONNECTED = -constants.errno.ENOTCONN

/**
 * Tells what an `end` event stands for: Node emits it for ends that are none.
 *
 * - HTTP/2: RST_STREAM(CANCEL) and a lost session show as an end; only END_STREAM is one (RFC 9113 §8.5).
 * - TCP: libuv reports an RST that arrives right behind data as an end. A socket that was reset has no peer any more; asked only
 *   as long as our own side is open, for after an end of both sides no socket has one.
 * - TLS: the end of the stream below shows as an end, with close_notify or without, and whatever that end was.
 *
 * @param prompt Whether the stream was flowing when its end arrived. If not, close_notify cannot be told from its absence.
 */
export function howEnded(source: Readable, prompt: boolean): Ending {
  if (isHttp2Stream(source)) return source.aborted || (source.closed && source.rstCode !== 0) ? 'reset' : 'in order'
  if (!(source instanceof Socket)) return source.errored === null ? 'in order' : 'reset'
  if (!source.writableEnded && handleOf(source)?.getpeername?.({}) === NOT_CONNECTED) return 'reset'
  const raw = source instanceof TLSSocket ? rawSocketOf(source) : undefined
  if (raw === undefined) return 'in order'
  if (!(raw instanceof Socket) && howEnded(raw, prompt) === 'reset') return 'reset'
  return prompt && hasEnded(raw) ? 'truncated' : 'in order'
}

/** Why a stream was cut: its own error, or what is known where Node has none. */
export function whyCut(stream: Readable | Writable): Error {
  if (stream.errored) return stream.errored
  if (isHttp2Stream(stream) && stream.rstCode) return new Error(`The HTTP/2 stream was closed with code ${stream.rstCode}`)
  return new Error('The stream was cut before its end')
}

/**
 * Whether the stream under TLS has ended, which it has not yet at the moment when close_notify is processed. Of a TCP socket under
 * TLS only libuv knows: it stops reading at an end of file, and starting it succeeds only where it is stopped.
 */
function hasEnded(raw: Duplex): boolean {
  if (!(raw instanceof Socket)) return raw.readableEnded
  return !(raw instanceof TLSSocket) && handleOf(raw)?.readStart?.() === 0
}

function handleOf(socket: Socket): SocketHandle | null | undefined {
  return (socket as unknown as { readonly _handle?: SocketHandle | null })._handle
}
