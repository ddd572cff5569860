import type { HeaderList } from '@sluice/core'
import type { Decoder } from '@sluice/transport'
import { parseRequestLine, type RequestLine } from './request-line.js'
import { RequestRefusal } from './request-refusal.js'

/** The head of a request: request line and fields. */
export interface RequestHead extends RequestLine {
  /** Values without white space around them, each byte one character (latin1). */
  readonly fields: HeaderList
}

export interface HeadLimits {
  /** @default 65_536 */
  readonly maxHeadBytes: number
  /** Of the request line and of each field line. @default 16_384 */
  readonly maxLineBytes: number
  /** @default 256 */
  readonly maxFields: number
}

export const HEAD_LIMITS: HeadLimits = { maxHeadBytes: 65_536, maxLineBytes: 16_384, maxFields: 256 }

const LF = 0x0a
const CR = 0x0d
const FIRST_LINE_BUFFER_BYTES = 256
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/
// oxlint-disable-next-line no-control-regex
const CONTROL = /[\x00-\x08\x0a-\x1f\x7f]/

/** The values of a field, in the order sent. @param name In lower case. */
export function valuesOf({ fields }: Pick<RequestHead, 'fields'>, name: string): string[] {
  return fields.filter(([other]) => other.toLowerCase() === name).map(([, value]) => value)
}

/**
 * Reads the head of a request, whatever its chunks (RFC 9112 §2.2, §3, §5).
 *
 * Strict, because what one reader takes for the end of a line or field and another does not is how requests are smuggled: every
 * line ends in CR LF, and a bare CR or LF, NUL, any other control character, a folded line or a space before a colon is refused.
 * One empty line before the request is skipped (§2.2).
 *
 * Each byte is looked at once, and of a head in pieces only the line at hand is kept.
 *
 * `push` throws {@link RequestRefusal} 400, 414, 431 or 505; what it throws does not depend on the chunks.
 */
export class RequestHeadDecoder implements Decoder<RequestHead> {
  readonly #limits: HeadLimits
  readonly #fields: [name: string, value: string][] = []
  #requestLine: RequestLine | undefined
  #skippedEmptyLine = false
  #headBytes = 0
  /** The start of a line whose end has not come, in the first `#lineBytes` bytes. */
  #line: Buffer = Buffer.alloc(0)
  #lineBytes = 0

  constructor(limits: HeadLimits = HEAD_LIMITS) {
    this.#limits = limits
  }

  /** Whether anything came at all. */
  get started(): boolean {
    return this.#headBytes > 0
  }

  push(chunk: Buffer): { value: RequestHead, rest: Buffer } | undefined {
    let start = 0
    for (let end = chunk.indexOf(LF); end !== -1; end = chunk.indexOf(LF, start)) {
      const value = this.#endLine(chunk.subarray(start, end))
      start = end + 1
      if (value !== undefined) return { value, rest: chunk.subarray(start) }
    }
    const piece = chunk.subarray(start)
    this.#count(piece, 0)
    this.#append(piece)
    return undefined
  }

  /** @returns the head, if this is the empty line at its end. */
  #endLine(piece: Buffer): RequestHead | undefined {
    const line = this.#completed(piece)
    if (line.at(-1) !== CR) throw malformed('a line that does not end in CR LF')
    const text = line.toString('latin1', 0, line.length - 1)
    if (CONTROL.test(text)) throw malformed('a bare CR, NUL or other control character')
    if (this.#requestLine !== undefined) return text === '' ? this.#finish(this.#requestLine) : this.#addField(text)
    if (text === '' && !this.#skippedEmptyLine) this.#skippedEmptyLine = true
    else this.#requestLine = parseRequestLine(text)
    return undefined
  }

  #addField(text: string): undefined {
    if (text.startsWith(' ') || text.startsWith('\t')) throw malformed('a folded line')
    const colon = text.indexOf(':')
    const name = text.slice(0, Math.max(colon, 0))
    if (!TOKEN.test(name)) throw malformed('a field whose name is not a token and a colon')
    if (this.#fields.length === this.#limits.maxFields) throw this.#tooLarge()
    this.#fields.push([name, trimWhitespace(text, colon + 1)])
  }

  #finish(requestLine: RequestLine): RequestHead {
    const head = { ...requestLine, fields: this.#fields }
    if (valuesOf(head, 'host').length > 1) throw malformed('more than one Host field')
    return head
  }

  /** The line of which this is the last piece. */
  #completed(piece: Buffer): Buffer {
    this.#count(piece, 1)
    if (this.#lineBytes === 0) return piece
    this.#append(piece)
    const line = this.#line.subarray(0, this.#lineBytes)
    this.#lineBytes = 0
    return line
  }

  #append(piece: Buffer): void {
    const bytes = this.#lineBytes + piece.length
    if (bytes > this.#line.length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(bytes * 2, FIRST_LINE_BUFFER_BYTES))
      this.#line.copy(larger, 0, 0, this.#lineBytes)
      this.#line = larger
    }
    piece.copy(this.#line, this.#lineBytes)
    this.#lineBytes = bytes
  }

  /** Says no to what can become no request any more, rather than waiting for the rest of it. */
  #count(piece: Buffer, lineEndBytes: 0 | 1): void {
    if (this.#headBytes === 0 && piece.length > 0) assertFirstByte(piece[0] ?? 0)
    this.#headBytes += piece.length + lineEndBytes
    const { maxLineBytes, maxHeadBytes } = this.#limits
    if (this.#lineBytes + piece.length > maxLineBytes || this.#headBytes > maxHeadBytes) throw this.#tooLarge()
  }

  #tooLarge(): RequestRefusal {
    const { maxLineBytes, maxHeadBytes, maxFields } = this.#limits
    const message = `The head of the request is too large: at most ${maxHeadBytes} bytes, ${maxLineBytes} per line, ${maxFields} fields`
    return new RequestRefusal(this.#requestLine === undefined ? 414 : 431, 'LIMIT', message)
  }
}

function assertFirstByte(byte: number): void {
  if (byte === CR || byte === LF || TOKEN.test(String.fromCharCode(byte))) return
  const speaks = byte === 0x16 ? 'TLS' : byte === 4 || byte === 5 ? 'SOCKS' : undefined
  throw malformed('no HTTP', speaks === undefined ? undefined : `the client seems to speak ${speaks}, and this is an HTTP inbound`)
}

/** Spaces and tabs only, and in linear time, which no pattern for the end of a text promises. */
function trimWhitespace(text: string, from: number): string {
  let [start, end] = [from, text.length]
  while (start < end && isWhitespace(text.charCodeAt(start))) start++
  while (end > start && isWhitespace(text.charCodeAt(end - 1))) end--
  return text.slice(start, end)
}

function isWhitespace(code: number): boolean {
  return code === 0x20 || code === 0x09
}

function malformed(what: string, hint?: string): RequestRefusal {
  return new RequestRefusal(400, 'PROTO', `The request is malformed: it has ${what}`, hint)
}
