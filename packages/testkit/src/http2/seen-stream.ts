import type { DecodedField } from './hpack.js'

/** A client's request, decoded. */
export interface Http2Request {
  readonly streamId: number
  readonly method: string | undefined
  readonly authority: string | undefined
  /** All fields in their order, pseudo-fields included. */
  readonly fields: readonly DecodedField[]
  /** The client sent END_STREAM with it. */
  readonly endStream: boolean
}

/** What the client did in one stream. */
export class SeenStream {
  readonly request: Http2Request
  #chunks: Buffer[] = []
  #bytes = 0
  #hasEnded = false
  #resetCode: number | undefined

  constructor(request: Http2Request) {
    this.request = request
    this.#hasEnded = request.endStream
  }

  /** All payload that came. */
  get data(): Buffer {
    if (this.#chunks.length > 1) this.#chunks = [Buffer.concat(this.#chunks)]
    return this.#chunks[0] ?? Buffer.alloc(0)
  }

  /** How much payload came. */
  get bytes(): number {
    return this.#bytes
  }

  /** The client sent END_STREAM. */
  get hasEnded(): boolean {
    return this.#hasEnded
  }

  /** The code of the client's RST_STREAM; `undefined`: there was none. */
  get resetCode(): number | undefined {
    return this.#resetCode
  }

  /** Notes payload. */
  took(chunk: Buffer, isLast: boolean): void {
    if (chunk.length > 0) this.#chunks.push(chunk)
    this.#bytes += chunk.length
    this.#hasEnded ||= isLast
  }

  /** Notes a reset. */
  wasReset(code: number): void {
    this.#resetCode ??= code
  }
}

/** Makes a request of a decoded header block. */
export function requestOf(streamId: number, fields: readonly DecodedField[], endStream: boolean): Http2Request {
  const valueOf = (name: string): string | undefined => fields.find((field) => field.name === name)?.value
  return { streamId, method: valueOf(':method'), authority: valueOf(':authority'), fields, endStream }
}
