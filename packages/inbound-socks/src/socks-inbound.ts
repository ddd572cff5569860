import {
  ClientLogins, EVENTS, formatEndpoint, inject, injectable, isProxyError, POLICY_MANAGER, ProxyError, SETTINGS, TAG,
  type Connection, type Dispatch, type Inbound, type InstanceEvents, type PolicyManager, type SessionRequest,
} from '@sluice/core'
import { deadline, hangUp, SocketLink, UnexpectedEnd } from '@sluice/transport'
import type { SocksInboundSettings } from './settings.js'
import { acceptSocks } from './socks-handshake.js'
import { SocksRefusal } from './socks-refusal.js'
import type { SocksRequest } from './socks-request.js'

/** Serves CONNECT in SOCKS 5 (RFC 1928), with or without user and password (RFC 1929), and in SOCKS 4 and 4a, without. */
@injectable()
export class SocksInbound implements Inbound {
  readonly #logins: ClientLogins | undefined
  readonly #level: number
  readonly #policies: PolicyManager
  readonly #events: InstanceEvents
  readonly #tag: string

  constructor(
    @inject(SETTINGS) { auth, accounts = [], userLevel = 0 }: SocksInboundSettings,
    @inject(TAG) tag: string,
    @inject(POLICY_MANAGER) policies: PolicyManager,
    @inject(EVENTS) events: InstanceEvents,
  ) {
    this.#logins = auth === 'password' ? new ClientLogins(accounts, tag, events) : undefined
    this.#level = userLevel
    this.#policies = policies
    this.#events = events
    this.#tag = tag
  }

  async handle(connection: Connection, dispatch: Dispatch): Promise<void> {
    let request: SocksRequest
    try {
      request = await this.#accept(connection)
    } catch (error) {
      return await this.#turnAway(connection, error)
    }
    const link = new SocketLink(connection, () => void connection.write(request.granted))
    try {
      await dispatch(this.#sessionOf(request), link)
    } catch (error) {
      await hangUp(connection, request.refused(error))
    }
  }

  async #accept(connection: Connection): Promise<SocksRequest> {
    const { handshakeMs } = this.#policies.forLevel(this.#level)
    const limit = new AbortController()
    const cancel = deadline(handshakeMs, () => limit.abort(new ProxyError('TIMEOUT', `The client sent no request within ${handshakeMs} ms`,
      { side: 'downstream', phase: 'handshake' })))
    try {
      return await acceptSocks(connection, this.#logins, limit.signal)
    } finally {
      cancel()
    }
  }

  /** Ends the connection of a client that made no request which can be dispatched. */
  async #turnAway(connection: Connection, error: unknown): Promise<void> {
    const isRefused = error instanceof SocksRefusal
    if (!isRefused && !(error instanceof UnexpectedEnd) && !isProxyError(error)) throw error
    const { remoteAddress: host = 'unknown', remotePort: port = 0 } = connection
    const message = `Inbound "${this.#tag}" turned ${formatEndpoint({ host, port })} away: ${error.message}`
    this.#events.log(isRefused ? 'info' : 'debug', message, { error })
    if (isRefused) await hangUp(connection, error.answer)
    else connection.destroy()
  }

  #sessionOf({ target, user }: SocksRequest): SessionRequest {
    // Without authentication the level alone is told, so that the outbound keeps its timeouts.
    if (user === undefined && this.#level === 0) return { target }
    return { target, user: { name: user ?? '', level: this.#level } }
  }
}
