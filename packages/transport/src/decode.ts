import type { Readable } from 'node:stream'

/** Recognises one message at the start of a byte stream, however it is cut into chunks. One object decodes one message. */
export interface Decoder<T> {
  /**
   * Takes the next bytes. Throws to refuse them; the error is what {@link decode} rejects with.
   * @returns The message and the bytes after it, or `undefined` while it is incomplete.
   */
  push(chunk: Buffer): { readonly value: T; readonly rest: Buffer } | undefined
}

/** The stream ended, or failed (`cause` is set), before the message was complete. */
export class UnexpectedEnd extends Error {
  override readonly name = 'UnexpectedEnd'
}

/**
 * Reads one message from the start of a stream. What follows the message is put back and comes first for the next reader.
 *
 * However it settles, the stream is left paused and without a listener of this call; it is neither ended nor destroyed. Bytes of
 * an incomplete message are lost.
 *
 * @throws {UnexpectedEnd} when the stream ends or fails first, or has before.
 * @throws `signal.reason` as it is, when aborted.
 * @throws What the decoder threw.
 *
 * @example
 * ```ts
 * import type { Readable } from 'node:stream'
 * import { decode } from '@sluice/transport'
 *
 * // The first byte of a stream, which is left complete but for that.
 * export const firstByte = (stream: Readable, signal: AbortSignal): Promise<number> =>
 *   decode(stream, { push: (chunk) => ({ value: chunk[0] ?? 0, rest: chunk.subarray(1) }) }, signal)
 * ```
 */
export function decode<T>(stream: Readable, decoder: Decoder<T>, signal: AbortSignal): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason)
    if (stream.readableEnded || stream.destroyed) return reject(endOf(stream))

    const leave = (): void => {
      stream.off('data', onData).off('end', onEnd).off('close', onEnd).off('error', onError)
      signal.removeEventListener('abort', onAbort)
      stream.pause()
    }
    const onData = (chunk: Buffer): void => {
      try {
        const result = decoder.push(chunk)
        if (result === undefined) return
        leave()
        if (result.rest.length > 0) stream.unshift(result.rest)
        resolve(result.value)
      } catch (error) {
        leave()
        reject(error)
      }
    }
    const onEnd = (): void => {
      leave()
      reject(endOf(stream))
    }
    const onError = (error: Error): void => {
      leave()
      reject(endOf(stream, error))
    }
    const onAbort = (): void => {
      leave()
      reject(signal.reason)
    }
    signal.addEventListener('abort', onAbort)
    stream.on('data', onData).on('end', onEnd).on('close', onEnd).on('error', onError)
    // It may be paused on purpose; a data listener alone would not start it then.
    stream.resume()
  })
}

function endOf(stream: Readable, cause: unknown = stream.errored): UnexpectedEnd {
  return cause === null || cause === undefined
    ? new UnexpectedEnd('The stream ended in the middle of a message')
    : new UnexpectedEnd('The stream failed in the middle of a message', { cause })
}
