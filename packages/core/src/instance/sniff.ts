import type { Readable } from 'node:stream'
import type { Sniffed } from '../contracts/sniffed.js'

/** How long a client may take to say what it speaks, and how much of it is looked at. */
export const SNIFFING = { limitMs: 300, maxBytes: 16_384 } as const

/**
 * Looks at the first bytes of a stream and leaves them there. Resolves with what they are, or with `undefined`: when they tell
 * nothing, when a limit is reached, when the stream ends or the signal aborts. No listener and no timer is left.
 *
 * @param read `more`: ask again when there is more.
 */
export function sniff(
  reader: Readable, read: (head: Buffer) => Sniffed | 'more' | undefined, signal: AbortSignal,
): Promise<Sniffed | undefined> {
  return new Promise((resolve, reject) => {
    let seenBytes = 0
    const leave = (): void => {
      clearTimeout(timer)
      reader.off('readable', look).off('end', finish).off('close', finish)
      signal.removeEventListener('abort', finish)
    }
    const finish = (): void => {
      leave()
      resolve(undefined)
    }
    const look = (): void => {
      // Nothing new, or the end, which is left to the outbound: reading on would take it away.
      if (reader.readableLength === seenBytes) return
      try {
        const head = peek(reader)
        seenBytes = head.length
        const found = read(head.subarray(0, SNIFFING.maxBytes))
        if (found === 'more' && seenBytes < SNIFFING.maxBytes) return
        leave()
        resolve(found === 'more' ? undefined : found)
      } catch (error) {
        leave()
        reject(error)
      }
    }
    const timer = setTimeout(finish, SNIFFING.limitMs)
    signal.addEventListener('abort', finish)
    reader.on('readable', look).on('end', finish).on('close', finish)
    // What is buffered already is told by the event as well, and only after it does Node let go of the listener in time for others.
    if (signal.aborted || reader.destroyed || reader.readableEnded) finish()
  })
}

/** All that is buffered. It is put back at once: a stream that was read to its end takes nothing back. */
function peek(reader: Readable): Buffer {
  const parts: Buffer[] = []
  for (let part = reader.read() as Buffer | null; part !== null; part = reader.readableLength > 0 ? reader.read() as Buffer | null : null) {
    parts.push(part)
  }
  const head = parts.length === 1 ? parts[0] as Buffer : Buffer.concat(parts)
  if (head.length > 0) reader.unshift(head)
  return head
}
