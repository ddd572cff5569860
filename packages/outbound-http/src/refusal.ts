import { printable, ProxyError } from '@sluice/core'
import type { ResponseHead } from './response-head.js'

const MAX_REST_MS = 30_000
const SCHEME = /^\s*([A-Za-z0-9!#$%&'*+.^_`|~-]+)(?:\s+[^=\s]|\s*$)/

/** What a final answer other than 2xx means. @param withCredentials Whether the request carried some. */
export function refusalOf(head: ResponseHead, server: string, withCredentials: boolean): ProxyError {
  const { status } = head
  const options = { phase: 'connect', server, status } as const
  if (status === 407 || status === 401) return new ProxyError('AUTH', authMessage(head, server, withCredentials), options)
  if (status === 101) return new ProxyError('PROTO', `Server ${server} switches protocols (101) where none was asked for`, options)
  const retryAfterMs = parseRetryAfter(head.fields.get('retry-after')?.[0])
  const reason = head.reason === '' ? '' : ` ${printable(head.reason)}`
  return new ProxyError('STATUS', `Server ${server} refuses the tunnel: ${status}${reason}`, {
    ...options,
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  })
}

function authMessage({ status, fields }: ResponseHead, server: string, withCredentials: boolean): string {
  const schemes = challengeSchemes([...(fields.get('proxy-authenticate') ?? []), ...(fields.get('www-authenticate') ?? [])])
  const unsupported = schemes.length > 0 && !schemes.some((scheme) => scheme.toLowerCase() === 'basic')
  if (unsupported) return `Server ${server} wants an unsupported scheme of authentication (${status}): ${printable(schemes.join(', '))}`
  if (withCredentials) return `Server ${server} refuses the user or password (${status})`
  return `Server ${server} wants a user and password (${status}): set "users" of the server`
}

/** The schemes of all challenges, in any number of fields (RFC 9110 §11.6.1). */
function challengeSchemes(values: readonly string[]): string[] {
  // A scheme starts a list element and is not followed by `=`, as a parameter's name is. Quoted text is taken out first.
  const elements = values.flatMap((value) => value.replace(/"(?:[^"\\]|\\.)*"/g, '""').split(','))
  return elements.map((element) => SCHEME.exec(element)?.[1]).filter((scheme) => scheme !== undefined)
}

/** Seconds or a date (RFC 9110 §10.2.3), at most 30 s; nonsense and the past count as absent. */
export function parseRetryAfter(value: string | undefined, now = Date.now()): number | undefined {
  if (value === undefined) return undefined
  const ms = /^\d{1,9}$/.test(value) ? Number(value) * 1_000 : /^[A-Z][a-z]{2}/.test(value) ? Date.parse(value) - now : Number.NaN
  return ms > 0 ? Math.min(ms, MAX_REST_MS) : undefined
}
