import { ProxyError } from '@sluice/core'
import type { Decoder } from '@sluice/transport'

/** The head of a response: status line and fields. */
export interface ResponseHead {
  readonly status: number
  /** As the server sent it, or ''. Never interpreted; not to be shown uncleaned. */
  readonly reason: string
  /** Values by lower-case name, in the order received. */
  readonly fields: ReadonlyMap<string, readonly string[]>
}

export interface HeadLimits {
  /** @default 65_536 */
  readonly maxHeadBytes: number
  /** Of the status line and of each field line. @default 16_384 */
  readonly maxLineBytes: number
  /** @default 256 */
  readonly maxFields: number
}

export const HEAD_LIMITS: HeadLimits = { maxHeadBytes: 65_536, maxLineBytes: 16_384, maxFields: 256 }

const LF = 0x0a
const CR = 0x0d
const START = 'HTTP/'
const STATUS_LINE = /^HTTP\/1\.[0-9] ([1-5][0-9]{2})(?: (.*))?$/
const FIELD = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+):(.*)$/

/**
 * Reads the head of an answer to CONNECT, whatever its chunks (RFC 9112 §4, §5).
 *
 * Any line may end in LF alone (§2.2); a folded field is joined with one space (§5.2); a bare CR, NUL, a space before the colon
 * or anything that is not HTTP/1.x is refused as soon as it shows. What is behind the empty line is the tunnel's.
 *
 * Each byte is looked at once, and at most `maxHeadBytes` are kept.
 *
 * `push` throws {@link ProxyError} PROTO or LIMIT.
 */
export class ResponseHeadDecoder implements Decoder<ResponseHead> {
  readonly #server: string
  readonly #limits: HeadLimits
  readonly #fields = new Map<string, string[]>()
  #bytes: Buffer = Buffer.alloc(0)
  /** Whether `#bytes` is our own copy, with room behind `#length`. */
  #collecting = false
  #length = 0
  #lineStart = 0
  #status: { status: number, reason: string } | undefined
  #fieldCount = 0
  #lastValues: string[] | undefined

  /** @param server Who answers, as `host:port`, for errors. */
  constructor(server: string, limits: HeadLimits = HEAD_LIMITS) {
    this.#server = server
    this.#limits = limits
  }

  push(chunk: Buffer): { value: ResponseHead, rest: Buffer } | undefined {
    const before = this.#length
    this.#append(chunk)
    for (let at = chunk.indexOf(LF); at !== -1; at = chunk.indexOf(LF, at + 1)) {
      const value = this.#line(this.#takeLine(before + at))
      if (value !== undefined) return { value, rest: chunk.subarray(at + 1) }
    }
    this.#refuseEarly()
    return undefined
  }

  /** A head in one chunk is read where it lies; only one in pieces is collected. */
  #append(chunk: Buffer): void {
    const length = this.#length + chunk.length
    if (this.#length === 0) {
      this.#bytes = chunk
    } else {
      if (!this.#collecting || length > this.#bytes.length) this.#grow(length)
      chunk.copy(this.#bytes, this.#length)
    }
    this.#length = length
  }

  /** What would lie beyond the limit is not kept: it is refused, or behind the head. */
  #grow(length: number): void {
    const bytes = Buffer.allocUnsafeSlow(Math.min(Math.max(length * 2, 1_024), this.#limits.maxHeadBytes))
    this.#bytes.copy(bytes, 0, 0, this.#length)
    this.#bytes = bytes
    this.#collecting = true
  }

  #takeLine(lineEnd: number): string {
    const end = lineEnd > this.#lineStart && this.#bytes[lineEnd - 1] === CR ? lineEnd - 1 : lineEnd
    if (lineEnd - this.#lineStart > this.#limits.maxLineBytes) throw this.#tooLong('line', this.#limits.maxLineBytes)
    if (lineEnd > this.#limits.maxHeadBytes) throw this.#tooLong('head', this.#limits.maxHeadBytes)
    const line = this.#bytes.toString('latin1', this.#lineStart, end)
    this.#lineStart = lineEnd + 1
    return line
  }

  /** @returns the head, once its empty line was read. */
  #line(line: string): ResponseHead | undefined {
    if (line.includes('\r') || line.includes('\0')) throw this.#malformed('a bare CR or a NUL')
    if (this.#status === undefined) this.#status = this.#parseStatusLine(line)
    else if (line === '') return { ...this.#status, fields: this.#fields }
    else this.#field(line)
    return undefined
  }

  #field(line: string): void {
    if (line.startsWith(' ') || line.startsWith('\t')) {
      const values = this.#lastValues
      if (values === undefined) throw this.#malformed('a space before the first field')
      values.push(`${values.pop() ?? ''} ${line.trim()}`.trim())
      return
    }
    const match = FIELD.exec(line)
    if (match === null) throw this.#malformed('a line that is no field')
    if (++this.#fieldCount > this.#limits.maxFields) {
      throw this.#error('LIMIT', `answers with more than ${this.#limits.maxFields} fields`)
    }
    const name = (match[1] ?? '').toLowerCase()
    this.#lastValues = this.#fields.get(name) ?? []
    this.#lastValues.push((match[2] ?? '').trim())
    this.#fields.set(name, this.#lastValues)
  }

  /** Says no to what can become no answer any more, rather than waiting for the rest of it. */
  #refuseEarly(): void {
    if (this.#status === undefined) {
      const start = this.#bytes.toString('latin1', 0, Math.min(this.#length, START.length))
      if (!START.startsWith(start)) throw this.#notHttp(start)
    }
    if (this.#length - this.#lineStart > this.#limits.maxLineBytes) throw this.#tooLong('line', this.#limits.maxLineBytes)
    if (this.#length > this.#limits.maxHeadBytes) throw this.#tooLong('head', this.#limits.maxHeadBytes)
  }

  #parseStatusLine(line: string): { status: number, reason: string } {
    const match = STATUS_LINE.exec(line)
    if (match === null) throw line.startsWith(START) ? this.#malformed('a status line that is not HTTP/1.x') : this.#notHttp(line)
    return { status: Number(match[1]), reason: match[2] ?? '' }
  }

  #tooLong(what: string, limit: number): ProxyError {
    return this.#error('LIMIT', `answers with a ${what} of more than ${limit} bytes`)
  }

  #malformed(what: string): ProxyError {
    return this.#error('PROTO', `gives a malformed answer to CONNECT: ${what}`)
  }

  #notHttp(start: string): ProxyError {
    // A TLS record: alert (21) or handshake (22) of version 3.x.
    const isTls = /^[\x15\x16]\x03/.test(start) || start === '\x15' || start === '\x16'
    const hint = isTls ? ': it speaks TLS, so set streamSettings.security to "tls"' : ''
    return this.#error('PROTO', `does not answer in HTTP/1.1${hint}`)
  }

  #error(code: 'PROTO' | 'LIMIT', what: string): ProxyError {
    return new ProxyError(code, `Server ${this.#server} ${what}`, { phase: 'connect', server: this.#server })
  }
}
