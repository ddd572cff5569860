import {
  Accounts, EVENTS, formatEndpoint, inject, injectable, isProxyError, POLICY_MANAGER, printable, ProxyError, SETTINGS, TAG,
  type Connection, type Dispatch, type Inbound, type InstanceEvents, type PolicyManager, type SessionRequest, type User,
} from '@sluice/core'
import { deadline, decode, SocketLink, UnexpectedEnd } from '@sluice/transport'
import { ESTABLISHED, formatFailure, formatRefusal } from './answer.js'
import { authenticate } from './basic-auth.js'
import { connectTarget } from './connect-target.js'
import { hangUp } from './hang-up.js'
import { RequestHeadDecoder, type RequestHead } from './request-head.js'
import { RequestRefusal } from './request-refusal.js'
import type { HttpInboundSettings } from './settings.js'

/** Serves clients that speak HTTP/1.x to their proxy: CONNECT (RFC 9110 §9.3.6), with or without Basic accounts (RFC 7617). */
@injectable()
export class HttpInbound implements Inbound {
  readonly #accounts: Accounts | undefined
  readonly #level: number
  readonly #policies: PolicyManager
  readonly #events: InstanceEvents
  readonly #tag: string

  constructor(
    @inject(SETTINGS) { accounts = [], userLevel = 0 }: HttpInboundSettings,
    @inject(TAG) tag: string,
    @inject(POLICY_MANAGER) policies: PolicyManager,
    @inject(EVENTS) events: InstanceEvents,
  ) {
    this.#accounts = accounts.length > 0 ? new Accounts(accounts) : undefined
    this.#level = userLevel
    this.#policies = policies
    this.#events = events
    this.#tag = tag
  }

  async handle(connection: Connection, dispatch: Dispatch): Promise<void> {
    let request: SessionRequest
    try {
      request = this.#sessionOf(await this.#readHead(connection))
    } catch (error) {
      return await this.#turnAway(connection, error)
    }
    const link = new SocketLink(connection, () => void connection.write(ESTABLISHED))
    try {
      await dispatch(request, link)
    } catch (error) {
      await hangUp(connection, formatFailure(error))
    }
  }

  async #readHead(connection: Connection): Promise<RequestHead> {
    const { handshakeMs } = this.#policies.forLevel(this.#level)
    const decoder = new RequestHeadDecoder()
    const limit = new AbortController()
    const cancel = deadline(handshakeMs, () => limit.abort(slowRequest(decoder, handshakeMs)))
    try {
      return await decode(connection, decoder, limit.signal)
    } finally {
      cancel()
    }
  }

  #sessionOf(head: RequestHead): SessionRequest {
    const user = this.#userOf(head)
    if (head.method !== 'CONNECT') {
      const message = `Method ${printable(head.method)} is not served: plain HTTP requests are not supported yet`
      throw new RequestRefusal(501, 'UNSUPPORTED', message, 'use CONNECT, with curl as "curl --proxytunnel"')
    }
    return { target: connectTarget(head), ...(user === undefined ? {} : { user }) }
  }

  #userOf(head: RequestHead): User | undefined {
    if (this.#accounts !== undefined) return { name: authenticate(head, this.#accounts), level: this.#level }
    // Without authentication the level alone is told, so that the outbound keeps its timeouts.
    return this.#level === 0 ? undefined : { name: '', level: this.#level }
  }

  /** Ends the connection of a client that made no request which can be dispatched. */
  async #turnAway(connection: Connection, error: unknown): Promise<void> {
    const isRefused = error instanceof RequestRefusal
    if (!isRefused && !(error instanceof UnexpectedEnd) && !isProxyError(error)) throw error
    const { remoteAddress: host = 'unknown', remotePort: port = 0 } = connection
    const message = `Inbound "${this.#tag}" turned ${formatEndpoint({ host, port })} away: ${error.message}`
    this.#events.log(isRefused ? 'info' : 'debug', message, { error })
    if (isRefused) await hangUp(connection, formatRefusal(error))
    else connection.destroy()
  }
}

/** A client that opened a connection in advance and never used it is told nothing: it may take the answer for that of a later request. */
function slowRequest(decoder: RequestHeadDecoder, handshakeMs: number): RequestRefusal | ProxyError {
  const message = `The client sent no whole request within ${handshakeMs} ms`
  if (decoder.started) return new RequestRefusal(408, 'TIMEOUT', message)
  return new ProxyError('TIMEOUT', message, { side: 'downstream', phase: 'handshake' })
}
