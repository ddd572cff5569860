import { request, type ClientRequest, type IncomingMessage } from 'node:http'
import { ProxyError, type Connection, type Destination, type HttpRequestHead, type Link, type RequestForm } from '@sluice/core'
import { connectionPair, SocketLink } from '@sluice/transport'
import { forwardedHead, MAX_FIELDS, type ForwardedHead, type ForwardedHeadOptions } from './forwarded-head.js'

export const MAX_HEAD_BYTES = 65_536

/**
 * One plain HTTP request on its way to the outbound: the link that carries it, and what comes back. The head goes into the link only
 * when it opens, in the form that the outbound chose; the body follows at the client's own pace.
 */
export class ForwardedRequest {
  readonly target: Destination
  readonly link: Link
  /** The request, whose head is on its way, once the link is open. */
  readonly opened: Promise<ClientRequest>
  /** Rejects when the link is cut, whoever does it. What was cut before Node has looked at it, Node does not tell. */
  readonly cut: Promise<never>
  readonly #near: Connection
  readonly #far: Connection
  #deliver: () => void = () => {}

  /** @throws {RequestRefusal} for a request that must not be forwarded. */
  constructor(incoming: IncomingMessage, options: ForwardedHeadOptions) {
    const head = forwardedHead(incoming, options)
    this.target = head.target
    const [near, far] = connectionPair()
    this.#near = near
    this.#far = far
    this.#holdEnd()
    this.cut = new Promise((_, reject) => {
      near.once('error', reject)
    })
    // It may be cut when nobody waits any more.
    this.cut.catch(() => {})
    let opened: (outgoing: ClientRequest) => void
    this.opened = new Promise((resolve) => {
      opened = resolve
    })
    this.link = new HttpLink(far, head.http, (how) => {
      try {
        opened(send(head, near, how))
      } catch (error) {
        this.abort(new ProxyError('INTERNAL', 'The outbound wants a head that cannot be written', { side: 'internal', cause: error }))
      }
    })
  }

  /** Cuts it, whatever its state. */
  abort(error: Error): void {
    this.#near.destroy(error)
  }

  /** The client has the whole answer: the session may end. To be called in every case. */
  delivered(): void {
    this.#deliver()
  }

  /** What is in the memory of this process is not with the client yet, so the session is not over, and no drain is. */
  #holdEnd(): void {
    const far = this.#far
    const { _final: endInOrder } = far
    const delivered = new Promise<void>((resolve) => {
      this.#deliver = resolve
    })
    far._final = (done) => endInOrder.call(far, (error) => void delivered.then(() => done(error)))
  }
}

function send({ http: { method }, written }: ForwardedHead, near: Connection, how: RequestForm | undefined): ClientRequest {
  const { path, headers } = written(how)
  const outgoing = request({
    createConnection: () => near,
    method,
    path,
    headers: headers.flat(),
    setHost: false,
    maxHeaderSize: MAX_HEAD_BYTES,
    insecureHTTPParser: false,
  })
  // Node would cut a longer list in silence. One more than is allowed shows that it is too long.
  outgoing.maxHeadersCount = MAX_FIELDS + 1
  return outgoing
}

class HttpLink extends SocketLink {
  readonly http: HttpRequestHead

  constructor(connection: Connection, http: HttpRequestHead, onOpen: (how?: RequestForm) => void) {
    super(connection, onOpen)
    this.http = http
  }
}
