import {
  ClientLogins, EVENTS, formatEndpoint, inject, injectable, isProxyError, POLICY_MANAGER, ProxyError, SETTINGS, TAG,
  type Connection, type Dispatch, type HeaderList, type Inbound, type InstanceEvents, type PolicyManager, type SessionRequest, type User,
} from '@sluice/core'
import { deadline, decode, hangUp, SocketLink, UnexpectedEnd } from '@sluice/transport'
import { ESTABLISHED, formatFailure, formatRefusal } from './answer.js'
import { authenticate } from './basic-auth.js'
import { connectTarget } from './connect-target.js'
import { FirstRequestDecoder, type FirstRequest } from './first-request.js'
import { fieldsOf } from './hop-by-hop.js'
import { Http2Connect } from './http2/http2-connect.js'
import { PlainHttp } from './plain-http.js'
import type { RequestHead } from './request-head.js'
import { RequestRefusal } from './request-refusal.js'
import type { HttpInboundSettings } from './settings.js'

/**
 * Serves clients that speak HTTP to their proxy: CONNECT (RFC 9110 §9.3.6) over HTTP/1.x, and over HTTP/2 where TLS agreed on it;
 * plain requests (RFC 9112 §3.2.2) over HTTP/1.x; with or without Basic accounts (RFC 7617).
 */
@injectable()
export class HttpInbound implements Inbound {
  readonly #logins: ClientLogins | undefined
  readonly #level: number
  readonly #policies: PolicyManager
  readonly #events: InstanceEvents
  readonly #tag: string
  readonly #plainHttp: PlainHttp
  readonly #http2: Http2Connect

  constructor(
    @inject(SETTINGS) { accounts = [], allowTransparent = false, userLevel = 0 }: HttpInboundSettings,
    @inject(TAG) tag: string,
    @inject(POLICY_MANAGER) policies: PolicyManager,
    @inject(EVENTS) events: InstanceEvents,
  ) {
    this.#logins = accounts.length > 0 ? new ClientLogins(accounts, tag, events) : undefined
    this.#level = userLevel
    this.#policies = policies
    this.#events = events
    this.#tag = tag
    const { handshakeMs, downlinkOnlyMs } = policies.forLevel(userLevel)
    this.#plainHttp = new PlainHttp({
      handshakeMs,
      downlinkOnlyMs,
      allowTransparent,
      userOf: (rawHeaders, connection) => this.#userOf({ fields: fieldsOf(rawHeaders) }, connection),
      onRefused: (connection, refusal) => this.#logTurnedAway(connection, refusal),
    })
    this.#http2 = new Http2Connect({
      handshakeMs,
      sessionOf: (authority, fields, connection) => this.#sessionOf(connectHead(authority, fields), connection),
      onTurnedAway: (connection, error) => this.#logTurnedAway(connection, error),
    })
  }

  async handle(connection: Connection, dispatch: Dispatch): Promise<void> {
    if (connection.alpnProtocol === 'h2') return await this.#http2.serve(connection, dispatch)
    try {
      const startedAt = performance.now()
      const first = await this.#readFirst(connection)
      const connect = first === 'plain' ? await this.#plainHttp.serve(connection, dispatch, this.#leftMs(startedAt)) : first
      if (connect !== undefined) await this.#tunnel(connection, this.#sessionOf(connect, connection), dispatch)
    } catch (error) {
      await this.#turnAway(connection, error)
    }
  }

  drain(): void {
    this.#plainHttp.drain()
    this.#http2.drain()
  }

  async #tunnel(connection: Connection, request: SessionRequest, dispatch: Dispatch): Promise<void> {
    const link = new SocketLink(connection, () => void connection.write(ESTABLISHED))
    try {
      await dispatch(request, link)
    } catch (error) {
      await hangUp(connection, formatFailure(error))
    }
  }

  async #readFirst(connection: Connection): Promise<FirstRequest> {
    const { handshakeMs } = this.#policies.forLevel(this.#level)
    const decoder = new FirstRequestDecoder()
    const limit = new AbortController()
    const cancel = deadline(handshakeMs, () => limit.abort(slowRequest(decoder, handshakeMs)))
    try {
      return await decode(connection, decoder, limit.signal)
    } finally {
      cancel()
    }
  }

  /** What is left of the time for a request that has begun. */
  #leftMs(startedAt: number): number {
    const { handshakeMs } = this.#policies.forLevel(this.#level)
    return handshakeMs === 0 ? 0 : Math.max(1, handshakeMs - (performance.now() - startedAt))
  }

  #sessionOf(head: RequestHead, connection: Connection): SessionRequest {
    const user = this.#userOf(head, connection)
    return { target: connectTarget(head), ...(user === undefined ? {} : { user }) }
  }

  #userOf(head: { readonly fields: HeaderList }, { remoteAddress }: Connection): User | undefined {
    if (this.#logins !== undefined) return { name: authenticate(head, this.#logins, remoteAddress), level: this.#level }
    // Without authentication the level alone is told, so that the outbound keeps its timeouts.
    return this.#level === 0 ? undefined : { name: '', level: this.#level }
  }

  /** Ends the connection of a client that made no request which can be dispatched. */
  async #turnAway(connection: Connection, error: unknown): Promise<void> {
    const isRefused = error instanceof RequestRefusal
    if (!isRefused && !(error instanceof UnexpectedEnd) && !isProxyError(error)) throw error
    this.#logTurnedAway(connection, error)
    if (isRefused) await hangUp(connection, formatRefusal(error))
    else connection.destroy()
  }

  #logTurnedAway({ remoteAddress: host = 'unknown', remotePort: port = 0 }: Connection, error: Error): void {
    const message = `Inbound "${this.#tag}" turned ${formatEndpoint({ host, port })} away: ${error.message}`
    this.#events.log(error instanceof RequestRefusal ? 'info' : 'debug', message, { error })
  }
}

/** The head of a CONNECT that somebody else has read. */
function connectHead(target: string, fields: HeaderList): RequestHead {
  return { method: 'CONNECT', target, version: '1.1', fields }
}

/** A client that opened a connection in advance and never used it is told nothing: it may take the answer for that of a later request. */
function slowRequest(decoder: FirstRequestDecoder, handshakeMs: number): RequestRefusal | ProxyError {
  const message = `The client sent no whole request within ${handshakeMs} ms`
  if (decoder.started) return new RequestRefusal(408, 'TIMEOUT', message)
  return new ProxyError('TIMEOUT', message, { side: 'downstream', phase: 'handshake' })
}
