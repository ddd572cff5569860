import type { ClientLogins } from '@sluice/core'
import { valuesOf, type RequestHead } from './request-head.js'
import { RequestRefusal } from './request-refusal.js'

/** The field of a 407 that says how to authenticate (RFC 7617 §2). */
export const CHALLENGE = ['Proxy-Authenticate', 'Basic realm="sluice", charset="UTF-8"'] as const

const BASIC = /^basic +([A-Za-z0-9+/]+={0,2})$/i

/** User and password of a `Proxy-Authorization` value (RFC 7617 §2, UTF-8), or `undefined` where it is no such value. */
export function parseBasic(value: string): { user: string, pass: string } | undefined {
  const text = Buffer.from(BASIC.exec(value)?.[1] ?? '', 'base64').toString('utf8')
  const colon = text.indexOf(':')
  return colon === -1 ? undefined : { user: text.slice(0, colon), pass: text.slice(colon + 1) }
}

/**
 * The user whom a request's `Proxy-Authorization` proves. Exactly one such field is accepted.
 * @param source The client's address.
 * @throws {RequestRefusal} 407; 429 for a source that has guessed too often (RFC 6585 §4).
 */
export function authenticate(head: Pick<RequestHead, 'fields'>, logins: ClientLogins, source: string | undefined): string {
  const values = valuesOf(head, 'proxy-authorization')
  const credentials = values.length === 1 ? parseBasic(values[0] ?? '') : undefined
  const result = credentials === undefined ? 'wrong' : logins.attempt(source, credentials.user, credentials.pass)
  if (credentials !== undefined && result === 'accepted') return credentials.user
  if (result === 'throttled') {
    throw new RequestRefusal(429, 'AUTH', 'Too many log-ins from your address were wrong', 'try again in a minute, with the right password')
  }
  const what = values.length === 0 ? 'This proxy wants a user and password' : 'The user or password is wrong'
  throw new RequestRefusal(407, 'AUTH', what, 'send "Proxy-Authorization: Basic" with an account of this proxy')
}
