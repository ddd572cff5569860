import type { IncomingMessage } from 'node:http'
import type { Destination, HeaderList, HttpRequestHead, RequestForm } from '@sluice/core'
import { forwardTarget } from './forward-target.js'
import { endToEnd, isChunked, rawValues } from './hop-by-hop.js'
import { RequestRefusal } from './request-refusal.js'

export const MAX_FIELDS = 256

// Methods that anticipate no content: without any, they say nothing of its length (RFC 9110 §8.6).
const WITHOUT_CONTENT: ReadonlySet<string> = new Set(['GET', 'HEAD', 'DELETE', 'OPTIONS', 'TRACE'])

/** What goes on of a request: where, and its head as the target gets it. */
export interface ForwardedHead {
  readonly target: Destination
  readonly http: HttpRequestHead
  /** The request-target in that form, and all fields with those of the next hop. */
  readonly written: (how?: RequestForm) => { readonly path: string, readonly headers: HeaderList }
}

export interface ForwardedHeadOptions {
  /** Takes origin-form, whose target is its `Host`. */
  readonly allowTransparent: boolean
  /** The protocols to switch to, if the request is to ask for it. */
  readonly upgrade: string | undefined
}

/**
 * Makes the head to forward from the one that came (RFC 9110 §7.6): `Host` is made from the target, and how the body is framed and
 * the connection used is said anew. No `Via` is added, as in v2ray.
 *
 * @throws {RequestRefusal} for a request that must not be forwarded.
 */
export function forwardedHead(incoming: IncomingMessage, { allowTransparent, upgrade }: ForwardedHeadOptions): ForwardedHead {
  const { rawHeaders, method = '', url = '', httpVersion } = incoming
  assertForwardable(incoming)
  const { target, path, host } = forwardTarget(url, allowTransparent ? rawValues(rawHeaders, 'host')[0] : undefined)
  const dropped = new Set(httpVersion === '1.0' ? ['host', 'expect'] : ['host'])
  const fields: HeaderList = [['Host', host], ...endToEnd(rawHeaders).filter(([name]) => !dropped.has(name.toLowerCase()))]
  const connection: HeaderList = upgrade === undefined ? [['Connection', 'close']] : [['Connection', 'Upgrade'], ['Upgrade', upgrade]]
  const origin = path === '' && method !== 'OPTIONS' ? '/' : path
  return {
    target,
    http: { method, scheme: 'http', path: path === '' ? '/' : path, headers: fields },
    written: ({ form, headers: added = [] } = { form: 'origin' }) => ({
      // RFC 9112 §3.2.4: an OPTIONS without a path is for the server itself.
      path: form === 'absolute' ? `http://${host}${origin}` : origin || '*',
      // Node reads Content-Disposition in another way once it has seen the length.
      headers: [...fields, ...added, ...framing(incoming), ...connection],
    }),
  }
}

/** How the body is framed on the next hop: as it was on this one. */
function framing({ rawHeaders, method = '', headers: { 'content-length': length } }: IncomingMessage): HeaderList {
  if (isChunked(rawHeaders) === true) return [['Transfer-Encoding', 'chunked']]
  // A zero at the start makes it octal for some.
  if (length !== undefined) return [['Content-Length', length.replace(/^0+(?=\d)/, '')]]
  return WITHOUT_CONTENT.has(method) ? [] : [['Content-Length', '0']]
}

/** Whatever two readers of the same bytes might take in two ways is not served (RFC 9112 §11.2). The parser has refused the rest. */
export function assertUnambiguous({ rawHeaders, httpVersion }: IncomingMessage): void {
  if (httpVersion !== '1.1' && httpVersion !== '1.0') {
    throw new RequestRefusal(505, 'PROTO', `HTTP/${httpVersion} is not spoken here`, 'use HTTP/1.1')
  }
  if (rawHeaders.length / 2 > MAX_FIELDS) throw new RequestRefusal(431, 'LIMIT', `The request has more than ${MAX_FIELDS} fields`)
  if (rawValues(rawHeaders, 'host').length > 1) throw new RequestRefusal(400, 'PROTO', 'The request has more than one Host field')
}

function assertForwardable(incoming: IncomingMessage): void {
  const { rawHeaders, httpVersion } = incoming
  assertUnambiguous(incoming)
  if (httpVersion !== '1.0') {
    if (rawValues(rawHeaders, 'host').length === 0) throw new RequestRefusal(400, 'PROTO', 'The request has no Host field')
    if (isChunked(rawHeaders) === undefined) {
      throw new RequestRefusal(501, 'UNSUPPORTED', 'The request has a transfer coding other than chunked')
    }
  } else if (rawValues(rawHeaders, 'transfer-encoding').length > 0) {
    throw new RequestRefusal(400, 'PROTO', 'The request has a Transfer-Encoding, which HTTP/1.0 does not know')
  }
}
