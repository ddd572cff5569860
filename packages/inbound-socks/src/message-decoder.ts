import type { Decoder } from '@sluice/transport'

/**
 * Reads a message at the start of some bytes: its value and how many bytes it took, or `undefined` while it is incomplete.
 * Whether it throws is settled by the bytes that a refusal is about, never by what follows them.
 */
export type Parse<T> = (bytes: Buffer) => { readonly value: T, readonly length: number } | undefined

/** Feeds a parser of a short message (SOCKS: at most 520 bytes) whatever the chunks: it is asked again with all bytes so far. */
export class MessageDecoder<T> implements Decoder<T> {
  readonly #parse: Parse<T>
  #bytes: Buffer | undefined

  constructor(parse: Parse<T>) {
    this.#parse = parse
  }

  push(chunk: Buffer): { value: T, rest: Buffer } | undefined {
    const bytes = this.#bytes === undefined ? chunk : Buffer.concat([this.#bytes, chunk])
    const message = this.#parse(bytes)
    if (message !== undefined) return { value: message.value, rest: bytes.subarray(message.length) }
    this.#bytes = bytes
    return undefined
  }
}
