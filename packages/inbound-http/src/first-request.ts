import type { Decoder } from '@sluice/transport'
import { RequestHeadDecoder, type RequestHead } from './request-head.js'
import { RequestRefusal } from './request-refusal.js'

const CONNECT = Buffer.from('CONNECT ', 'latin1')
const EMPTY_LINE = Buffer.from('\r\n', 'latin1')
const UPPER_A = 0x41
const UPPER_Z = 0x5a

/** The first thing on a connection: the head of a CONNECT, or `plain`, of which nothing was taken. */
export type FirstRequest = RequestHead | 'plain'

/**
 * Tells a CONNECT from any other request by its first bytes, and reads its head. One empty line before either is skipped (RFC 9112
 * §2.2). `push` throws as that of `RequestHeadDecoder` does, also for what is no request at all.
 */
export class FirstRequestDecoder implements Decoder<FirstRequest> {
  readonly #connect = new RequestHeadDecoder()
  #start: Buffer = Buffer.alloc(0)
  #isPlain: boolean | undefined

  /** Whether anything came yet. */
  get started(): boolean {
    return this.#start.length > 0 || this.#connect.started
  }

  push(chunk: Buffer): { value: FirstRequest, rest: Buffer } | undefined {
    if (this.#isPlain === false) return this.#pushConnect(chunk)
    const start = this.#start.length === 0 ? chunk : Buffer.concat([this.#start, chunk])
    const request = start.subarray(startsAs(start, EMPTY_LINE) ? EMPTY_LINE.length : 0)
    this.#start = start
    this.#isPlain = isPlain(request)
    if (this.#isPlain === undefined) return undefined
    return this.#isPlain ? { value: 'plain', rest: request } : this.#pushConnect(start)
  }

  #pushConnect(chunk: Buffer): { value: RequestHead, rest: Buffer } | undefined {
    const result = this.#connect.push(chunk)
    // Nothing else comes here but what has no upper-case letter at its start, and methods are case-sensitive (RFC 9110 §9.1).
    if (result !== undefined && result.value.method !== 'CONNECT') throw new RequestRefusal(501, 'UNSUPPORTED', 'The method is not served')
    return result
  }
}

/** `undefined` while nobody can tell. What is no method of HTTP is left to the decoder that says best what is wrong with it. */
function isPlain(request: Buffer): boolean | undefined {
  const [first] = request
  if (first === undefined) return undefined
  if (first < UPPER_A || first > UPPER_Z) return false
  if (!startsAs(request, CONNECT)) return true
  return request.length < CONNECT.length ? undefined : false
}

/** Whether these bytes are the start of those, or the other way round. */
function startsAs(bytes: Buffer, wanted: Buffer): boolean {
  const known = Math.min(bytes.length, wanted.length)
  return bytes.compare(wanted, 0, known, 0, known) === 0
}
