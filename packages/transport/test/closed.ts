import type { Readable, Writable } from 'node:stream'

/** Waits until a stream is closed, however that came about. */
export function closed(stream: Readable | Writable): Promise<void> {
  return new Promise((resolve) => { if (stream.closed) resolve(); else stream.once('close', resolve) })
}
