import { createHash, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { isIP } from 'node:net'
import { LoginThrottle, type LoginThrottleOptions } from '@sluice/core'
import { failure, type ControlAnswer } from './control-answer.js'

export interface AdmissionOptions extends Pick<LoginThrottleOptions, 'onThrottled'> {
  /** What `Authorization: Bearer` must say. @default nothing is asked for */
  readonly secret?: string
}

/**
 * Says which requests are heard. Without a secret whoever is on this machine may ask, but for pages in a browser: a page of another
 * site says so in `Origin` or `Sec-Fetch-Site`, and one whose name was made to point here (DNS rebinding) in `Host`.
 */
export class Admission {
  readonly #digest: Buffer | undefined
  readonly #throttle: LoginThrottle

  constructor({ secret, onThrottled }: AdmissionOptions) {
    this.#digest = secret === undefined ? undefined : digestOf(secret)
    this.#throttle = new LoginThrottle(onThrottled === undefined ? {} : { onThrottled })
  }

  /** @returns what to answer in place of what was asked for; `undefined`: go on. */
  refusal(request: IncomingMessage): ControlAnswer | undefined {
    const { host = '', origin, 'sec-fetch-site': site = 'none' } = request.headers
    if (this.#digest === undefined && !isOwnHost(host)) return failure(403, 'Without a secret, Host must be an IP address or localhost')
    const isForeign = origin !== undefined && origin !== `http://${host}`
    if (isForeign || (site !== 'none' && site !== 'same-origin')) return failure(403, 'Pages of other sites may not ask')
    const refusal = this.#authorize(request)
    if (refusal !== undefined) return refusal
    return hasBody(request) ? failure(413, 'No request has a body here') : undefined
  }

  #authorize({ headers: { authorization }, socket }: IncomingMessage): ControlAnswer | undefined {
    const wanted = this.#digest
    if (wanted === undefined) return undefined
    const token = /^Bearer +(\S+) *$/i.exec(authorization ?? '')?.[1]
    const unauthorized = failure(401, 'The secret is needed as Authorization: Bearer', { 'www-authenticate': 'Bearer' })
    // Who forgot it has not guessed.
    if (token === undefined) return unauthorized
    const result = this.#throttle.attempt(socket.remoteAddress, () => timingSafeEqual(digestOf(token), wanted))
    if (result === 'throttled') return failure(429, 'Too many wrong secrets', { 'retry-after': '60' })
    return result === 'wrong' ? unauthorized : undefined
  }
}

/** Digests are of one length, which a comparison in constant time needs. */
function digestOf(secret: string): Buffer {
  return createHash('sha256').update(secret).digest()
}

function isOwnHost(host: string): boolean {
  const name = host.replace(/:\d*$/, '').toLowerCase()
  return name === 'localhost' || isIP(name.replace(/^\[(.*)\]$/, '$1')) !== 0
}

function hasBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) !== 0
}
