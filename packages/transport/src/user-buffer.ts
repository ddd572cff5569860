import { Socket } from 'node:net'

/** Takes what a socket has read. */
export interface BufferReader {
  /** So many bytes are at the start of the buffer. The stream itself does not get them. */
  onRead(bytes: number): void
  /** Where the next bytes go. Asked after each `onRead`. */
  nextBuffer(): Buffer
}

/**
 * For all that is copied or thrown away before the next read, whoever reads. It is never lent, so any handle may keep its address.
 * As large as the largest read of libuv's own.
 */
export const SHARED_BUFFER = Buffer.allocUnsafeSlow(64 << 10)

const NOBODY: BufferReader = { onRead: () => {}, nextBuffer: () => SHARED_BUFFER }

interface Handle {
  readonly useUserBuffer?: (buffer: Buffer) => void
}

// What `net.connect` does with its option `onread`. For a socket that exists there is no public way (tested on Node 20, 22, 24, 26).
const SYMBOLS = new Map(Object.getOwnPropertySymbols(new Socket()).map((symbol) => [symbol.description, symbol]))
const BUFFER = SYMBOLS.get('kBuffer')
const ON_READ = SYMBOLS.get('kBufferCb')
const NEXT_BUFFER = SYMBOLS.get('kBufferGen')

/**
 * From now on the socket reads into buffers of the reader's, and emits no `data` any more; all else stays as it is. Nothing may be
 * waiting to be read in the stream. There is no way back, but it can be called again.
 *
 * A buffer must live as long as the socket may read into it: the handle knows its address only.
 *
 * @returns `false`, and nothing is changed, where this Node or this stream cannot do it.
 */
export function readInto(socket: Socket, buffer: Buffer, reader: BufferReader): boolean {
  const { _handle: handle } = socket as unknown as { readonly _handle?: Handle | null }
  if (BUFFER === undefined || ON_READ === undefined || NEXT_BUFFER === undefined) return false
  if (typeof handle?.useUserBuffer !== 'function') return false
  handle.useUserBuffer(buffer)
  Object.assign(socket, {
    [BUFFER]: buffer,
    [ON_READ]: (bytes: number) => reader.onRead(bytes),
    [NEXT_BUFFER]: () => reader.nextBuffer(),
  })
  return true
}

/** What a socket still reads is thrown away, and no buffer of its former reader is touched any more. */
export function readAway(socket: Socket): void {
  readInto(socket, SHARED_BUFFER, NOBODY)
}
