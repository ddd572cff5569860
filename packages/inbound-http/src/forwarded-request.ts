import { request, type ClientRequest, type IncomingMessage } from 'node:http'
import type { Connection, HeaderList, HttpRequestHead, Link, RequestForm } from '@sluice/core'
import { connectionPair, SocketLink } from '@sluice/transport'
import { forwardTarget, type ForwardTarget } from './forward-target.js'
import { endToEnd, rawValues } from './hop-by-hop.js'
import { RequestRefusal } from './request-refusal.js'

const MAX_FIELDS = 256

/**
 * One plain HTTP request on its way to the outbound: the link that carries it, and what comes back. The head goes into the link only
 * when it opens, in the form that the outbound chose; the body follows at the client's own pace.
 */
export class ForwardedRequest {
  readonly destination: ForwardTarget
  readonly link: Link
  /** Sends the request and gives its answer, once the link is open. */
  readonly opened: Promise<ClientRequest>
  readonly #near: Connection

  /** @throws {RequestRefusal} for a request that must not be forwarded. */
  constructor(incoming: IncomingMessage, allowTransparent: boolean) {
    const { rawHeaders, method = '', url = '' } = incoming
    assertForwardable(incoming)
    this.destination = forwardTarget(url, allowTransparent ? rawValues(rawHeaders, 'host')[0] : undefined)
    const headers = forwardedHeaders(incoming, this.destination.host)
    const [near, far] = connectionPair()
    this.#near = near
    let open: (request: ClientRequest) => void
    this.opened = new Promise((resolve) => {
      open = resolve
    })
    const { path, host } = this.destination
    const http: HttpRequestHead = { method, scheme: 'http', path, headers }
    this.link = new HttpLink(far, http, ({ form, headers: added = [] } = { form: 'origin' }) => open(request({
      createConnection: () => near,
      method,
      path: form === 'absolute' ? `http://${host}${path}` : path,
      headers: [...headers, ...added].flat(),
      setHost: false,
    })))
  }

  /** Cuts it, whatever its state. */
  abort(error: Error): void {
    this.#near.destroy(error)
  }
}

class HttpLink extends SocketLink {
  readonly http: HttpRequestHead

  constructor(connection: Connection, http: HttpRequestHead, onOpen: (how?: RequestForm) => void) {
    super(connection, onOpen)
    this.http = http
  }
}

/** Whatever two readers of the same bytes might take in two ways is not passed on (RFC 9112 §11.2). The parser has refused the rest. */
function assertForwardable({ rawHeaders, httpVersion }: IncomingMessage): void {
  if (rawHeaders.length / 2 > MAX_FIELDS) throw new RequestRefusal(431, 'LIMIT', `The request has more than ${MAX_FIELDS} fields`)
  const hosts = rawValues(rawHeaders, 'host').length
  if (hosts > 1 || (hosts === 0 && httpVersion === '1.1')) {
    throw new RequestRefusal(400, 'PROTO', `The request has ${hosts} Host fields, not one`)
  }
  if (httpVersion === '1.0' && rawValues(rawHeaders, 'transfer-encoding').length > 0) {
    throw new RequestRefusal(400, 'PROTO', 'The request has a Transfer-Encoding, which HTTP/1.0 does not know')
  }
}

/** End-to-end fields, a `Host` of our own making, and the framing that the body needs on this hop. */
function forwardedHeaders({ rawHeaders, method, headers }: IncomingMessage, host: string): HeaderList {
  const fields = endToEnd(rawHeaders).filter(([name]) => name.toLowerCase() !== 'host')
  const isChunked = headers['transfer-encoding'] !== undefined
  const hasNoBody = !isChunked && headers['content-length'] === undefined
  const framing: HeaderList = isChunked
    ? [['Transfer-Encoding', 'chunked']]
    : hasNoBody && method !== 'GET' && method !== 'HEAD' ? [['Content-Length', '0']] : []
  const connection: HeaderList = headers.upgrade === undefined
    ? [['Connection', 'close']]
    : [['Connection', 'Upgrade'], ['Upgrade', headers.upgrade]]
  return [['Host', host], ...fields, ...framing, ...connection]
}
