import { ProxyError, type Connection, type Dialer, type HeaderList, type Phase } from '@sluice/core'
import { abort, limitSignal } from '@sluice/transport'
import type { Account } from './account.js'
import type { Attempt } from './attempt.js'
import type { EarlyData } from './early-data.js'
import { connectOverHttp1, type ConnectRequest } from './http1-connect.js'
import { HedgedTunnel, type HedgedOutcome, type HedgeOptions } from './http2/hedged-tunnel.js'
import type { Lease } from './http2/lease.js'
import { SessionPool, type PoolDialOptions } from './http2/session-pool.js'
import type { TryControl } from './race.js'
import type { Server } from './server.js'
import type { HttpOutboundSettings } from './settings.js'

const MAX_CONNECTIONS = 256

export interface OpenControl extends TryControl {
  /** Goes with the request over HTTP/2; over HTTP/1.1 no payload goes before the answer (RFC 9931). */
  readonly early?: EarlyData | undefined
}

/** Opens tunnels: in a connection of their own over HTTP/1.1, or in a stream of a pooled one over HTTP/2. */
export class Tunnels {
  readonly #pools = new WeakMap<Dialer, Map<Server | Account, SessionPool>>()
  readonly #open = new Set<SessionPool>()
  readonly #headers: HeaderList
  readonly #maxConnections: number
  readonly #priorKnowledge: boolean
  readonly #alpn: { readonly alpn?: readonly string[] }
  readonly #hasOtherServers: boolean

  constructor({ headers = {}, version = 'auto', maxConnections = MAX_CONNECTIONS, servers }: HttpOutboundSettings) {
    this.#headers = Object.entries(headers)
    this.#maxConnections = maxConnections
    this.#priorKnowledge = version === '2'
    this.#alpn = version === 'auto' ? {} : { alpn: [version === '2' ? 'h2' : 'http/1.1'] }
    this.#hasOtherServers = servers.length > 1
  }

  /**
   * Opens one tunnel as the attempt says, within its limit.
   * @param authority The target, as `formatTarget` wrote it.
   * @throws {ProxyError} @throws `control.signal.reason` as it is.
   */
  async open(dialer: Dialer, attempt: Attempt, authority: string, control: OpenControl): Promise<Connection> {
    const { server, account, limitMs } = attempt
    let phase: Phase = 'dial'
    using limit = limitSignal(control.signal, limitMs, () => timeout(server, phase, limitMs))
    const onPhase = (next: Phase): void => {
      phase = next
    }
    const credentials = account === undefined ? {} : { credentials: account.credentials }
    const request: ConnectRequest = { authority, headers: this.#headers, server: server.name, ...credentials }
    const pool = this.#poolOf(dialer, server, account)
    const options = { signal: limit.signal, onPhase, hasOtherServers: this.#hasOtherServers, early: control.early }
    for (;;) {
      const lease = await pool.lease(options)
      phase = 'connect'
      control.onConnected()
      const tunnel = await openOn(lease, pool, request, options)
      if (tunnel !== 'again') return tunnel
    }
  }

  /** Cuts all pooled connections. */
  close(): void {
    for (const pool of this.#open) pool.close()
    this.#open.clear()
  }

  /** One pool for each dialer, server and configured account: what one may use is nobody else's. */
  #poolOf(dialer: Dialer, server: Server, account: Account | undefined): SessionPool {
    const pools = this.#pools.get(dialer) ?? new Map<Server | Account, SessionPool>()
    this.#pools.set(dialer, pools)
    const key = account ?? server
    const known = pools.get(key)
    if (known !== undefined) return known
    const dial = (options: PoolDialOptions): Promise<Connection> => dialer.dial(server.destination, { ...this.#alpn, ...options })
    const pool = new SessionPool(dial, { server: server.name, maxConnections: this.#maxConnections, priorKnowledge: this.#priorKnowledge })
    pools.set(key, pool)
    this.#open.add(pool)
    return pool
  }
}

async function openOn(lease: Lease, pool: SessionPool, request: ConnectRequest, options: HedgeOptions): Promise<HedgedOutcome> {
  if (lease.kind === 'session') return new HedgedTunnel(pool, lease.session, request, options).open()
  const { connection } = lease
  try {
    assertSpeaksHttp1(connection, request.server)
    await connectOverHttp1(connection, request, options.signal)
    return connection
  } catch (error) {
    abort(connection, error as Error)
    throw error
  }
}

function assertSpeaksHttp1({ alpnProtocol }: Connection, server: string): void {
  if (typeof alpnProtocol !== 'string' || alpnProtocol === 'http/1.1' || alpnProtocol === 'http/1.0') return
  throw new ProxyError('ALPN', `Server ${server} chose ALPN protocol "${alpnProtocol}", which was not asked for`, { phase: 'tls', server })
}

function timeout({ name }: Server, phase: Phase, limitMs: number): ProxyError {
  const doing = phase === 'connect' ? 'no answer to CONNECT' : phase === 'tls' ? 'no TLS handshake' : 'no connection'
  return new ProxyError('TIMEOUT', `Server ${name} gave ${doing} within ${limitMs} ms`, { phase, server: name })
}
