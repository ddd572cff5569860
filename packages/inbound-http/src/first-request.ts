import type { Decoder } from '@sluice/transport'
import { RequestHeadDecoder, type RequestHead } from './request-head.js'

const CONNECT = Buffer.from('CONNECT ', 'latin1')
const UPPER_A = 0x41
const UPPER_Z = 0x5a

/** The first thing on a connection: the head of a CONNECT, or `plain`, of which nothing was taken. */
export type FirstRequest = RequestHead | 'plain'

/**
 * Tells a CONNECT from any other request by its first bytes, and reads its head. `push` throws as that of `RequestHeadDecoder` does,
 * also for what is no request at all.
 */
export class FirstRequestDecoder implements Decoder<FirstRequest> {
  readonly #connect = new RequestHeadDecoder()
  #start: Buffer = Buffer.alloc(0)
  #isConnect = false

  /** Whether anything came yet. */
  get started(): boolean {
    return this.#start.length > 0 || this.#connect.started
  }

  push(chunk: Buffer): { value: FirstRequest, rest: Buffer } | undefined {
    if (this.#isConnect) return this.#connect.push(chunk)
    const start = this.#start.length === 0 ? chunk : Buffer.concat([this.#start, chunk])
    const known = Math.min(start.length, CONNECT.length)
    const [first = UPPER_A] = start
    // What is no method of HTTP is left to the decoder that says best what is wrong with it.
    const isMethod = first >= UPPER_A && first <= UPPER_Z
    if (isMethod && start.compare(CONNECT, 0, known, 0, known) !== 0) return { value: 'plain', rest: start }
    this.#start = start
    if (isMethod && start.length < CONNECT.length) return undefined
    this.#isConnect = true
    return this.#connect.push(start)
  }
}
