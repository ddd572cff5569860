import { ProxyError, toProxyError, type Connection } from '@sluice/core'
import { deadline } from '@sluice/transport'
import { PooledSession, SESSION_TIMES, type SessionTimes } from './pooled-session.js'

/** How long a server is taken to answer no more streams per connection than was found. */
const LEARNED_MS = 600_000
/** Requests made a second time at once, per pool: a slow server is not to be asked for everything twice. */
const MAX_HEDGES = 4

/** What a tunnel is opened on: a slot in a session, or a connection of its own where the server does not speak HTTP/2. */
export type Lease =
  | { readonly kind: 'session', readonly session: PooledSession }
  | { readonly kind: 'connection', readonly connection: Connection }

type DialPhase = 'dial' | 'tls' | 'connect'

export interface LeaseOptions {
  readonly signal: AbortSignal
  readonly onPhase: (phase: DialPhase) => void
  /** A session that is not wanted, though it may have room. */
  readonly except?: PooledSession
}

export interface PoolDialOptions {
  readonly signal: AbortSignal
  readonly onPhase: (phase: DialPhase) => void
  /** In place of what is offered by default. */
  readonly alpn?: readonly string[]
}

/** Dials the pool's server. */
export type PoolDial = (options: PoolDialOptions) => Promise<Connection>

export interface PoolOptions {
  /** `host:port` of the server. */
  readonly server: string
  readonly maxConnections: number
  /** Whether a connection without ALPN speaks HTTP/2 all the same (prior knowledge, RFC 9113 §3.3). */
  readonly priorKnowledge?: boolean
  readonly times?: SessionTimes
}

interface Waiter extends LeaseOptions {
  resolve(lease: Lease): void
  reject(error: unknown): void
}

/**
 * The HTTP/2 connections of one dialer to one server for one account. Nobody else's tunnels ever come onto them.
 *
 * A cold pool dials once, however many wait; who finds no free slot waits for one or for the next connection, of which as many
 * are dialled as are needed, up to `maxConnections`. A server that picks HTTP/1.1 gets a connection for each tunnel.
 */
export class SessionPool {
  readonly #dial: PoolDial
  readonly #options: PoolOptions
  readonly #sessions = new Set<PooledSession>()
  readonly #dials = new Set<AbortController>()
  #waiters: Waiter[] = []
  #protocol: 'unknown' | 'http/1.1' | 'h2' = 'unknown'
  #alpn: { readonly alpn?: readonly string[] } = {}
  #phase: DialPhase = 'dial'
  #streamsPerSession = Number.POSITIVE_INFINITY
  #learned = Number.POSITIVE_INFINITY
  #forget: () => void = () => {}
  #hedges = 0

  constructor(dial: PoolDial, options: PoolOptions) {
    this.#dial = dial
    this.#options = options
  }

  /** The live sessions, for tests and for whoever wants to look. */
  get sessions(): ReadonlySet<PooledSession> {
    return this.#sessions
  }

  /**
   * Finds a slot, or a connection.
   * @throws {ProxyError} as the dial failed. @throws `signal.reason` as it is.
   */
  lease(options: LeaseOptions): Promise<Lease> {
    if (this.#protocol === 'http/1.1') return this.#ownConnection(options)
    const session = this.#freest(options.except)
    if (session === undefined) return this.#wait(options)
    session.take()
    return Promise.resolve({ kind: 'session', session })
  }

  /** Asks for leave to make a request a second time. @returns Ends it; `undefined`: not now. */
  startHedge(): (() => void) | undefined {
    if (this.#hedges >= MAX_HEDGES) return undefined
    this.#hedges++
    return () => {
      this.#hedges--
    }
  }

  /** A request was answered elsewhere while this session, with so many tunnels answered, owed its own: it answers no more than these. */
  learnLimit(session: PooledSession): void {
    if (session.answered === 0) {
      session.drain()
      return
    }
    this.#learned = Math.min(this.#learned, session.answered)
    this.#forget()
    this.#forget = deadline(LEARNED_MS, () => this.#unlearn())
    for (const each of this.#sessions) each.limitTo(this.#learned)
  }

  /** The server wants HTTP/1.1 (RST_STREAM HTTP_1_1_REQUIRED): every further tunnel has a connection of its own. */
  useHttp1(): void {
    this.#protocol = 'http/1.1'
    this.#alpn = { alpn: ['http/1.1'] }
  }

  /** Cuts everything. */
  close(): void {
    this.#forget()
    const error = new ProxyError('CLOSED', `Connections to ${this.#options.server} are closed`, { side: 'internal', phase: 'connect' })
    for (const dial of this.#dials) dial.abort(error)
    for (const session of this.#sessions) session.abort(error)
  }

  #freest(except?: PooledSession): PooledSession | undefined {
    let best: PooledSession | undefined
    for (const session of this.#sessions) {
      if (session !== except && session.free > 0 && (best === undefined || session.streams < best.streams)) best = session
    }
    return best
  }

  async #ownConnection({ signal, onPhase }: LeaseOptions): Promise<Lease> {
    const connection = await this.#dial({ ...this.#alpn, signal, onPhase })
    if (this.#alpn.alpn !== undefined || !this.#speaksHttp2(connection)) return { kind: 'connection', connection }
    // The server has changed its mind.
    this.#protocol = 'h2'
    const session = this.#adopt(connection)
    session.take()
    return { kind: 'session', session }
  }

  #wait(options: LeaseOptions): Promise<Lease> {
    const { signal, onPhase } = options
    return new Promise((resolve, reject) => {
      const onAbort = (): void => {
        this.#waiters = this.#waiters.filter((other) => other !== waiter)
        reject(signal.reason as Error)
        this.#dropNeedlessDials()
      }
      const waiter: Waiter = {
        ...options,
        resolve: (lease) => {
          signal.removeEventListener('abort', onAbort)
          resolve(lease)
        },
        reject: (error) => {
          signal.removeEventListener('abort', onAbort)
          reject(error as Error)
        },
      }
      signal.addEventListener('abort', onAbort, { once: true })
      this.#waiters.push(waiter)
      onPhase(this.#phase)
      this.#serve()
    })
  }

  /** Gives free slots to who waits longest, and dials for the rest. */
  readonly #serve = (): void => {
    const left: Waiter[] = []
    for (const waiter of this.#waiters) {
      const session = this.#freest(waiter.except)
      if (session === undefined) {
        left.push(waiter)
        continue
      }
      session.take()
      waiter.resolve({ kind: 'session', session })
    }
    this.#waiters = left
    for (let missing = this.#missingConnections(); missing > 0; missing--) void this.#connect()
  }

  /** How many more connections those who wait need. */
  #missingConnections(): number {
    if (this.#waiters.length === 0) return 0
    const alive = [...this.#sessions].filter(({ state }) => state.kind !== 'draining')
    const settling = alive.filter(({ state }) => state.kind === 'settling').length
    const perSession = Math.min(this.#streamsPerSession, this.#learned)
    // A server that takes no streams just now (SETTINGS with 0) takes none on a further connection either.
    if (perSession === 0) return alive.length + this.#dials.size === 0 ? 1 : 0
    const needed = Math.ceil(this.#waiters.length / perSession) || 1
    const room = this.#options.maxConnections - this.#sessions.size - this.#dials.size
    return Math.min(needed - settling - this.#dials.size, room)
  }

  async #connect(): Promise<void> {
    const dial = new AbortController()
    this.#dials.add(dial)
    const onPhase = (phase: DialPhase): void => {
      this.#phase = phase
      for (const waiter of this.#waiters) waiter.onPhase(phase)
    }
    onPhase('dial')
    try {
      const connection = await this.#dial({ ...this.#alpn, signal: dial.signal, onPhase })
      this.#dials.delete(dial)
      this.#connected(connection)
    } catch (error) {
      this.#dials.delete(dial)
      if (!dial.signal.aborted) this.#failWaiters(toProxyError(error))
    }
  }

  #connected(connection: Connection): void {
    if (this.#speaksHttp2(connection)) {
      this.#protocol = 'h2'
      for (const waiter of this.#waiters) waiter.onPhase('connect')
      this.#adopt(connection)
      return
    }
    this.#protocol = 'http/1.1'
    const [first, ...others] = this.#waiters
    this.#waiters = []
    if (first === undefined) connection.destroy()
    else first.resolve({ kind: 'connection', connection })
    for (const waiter of others) this.#ownConnection(waiter).then(waiter.resolve, waiter.reject)
  }

  #adopt(connection: Connection): PooledSession {
    const session = new PooledSession(connection, this.#options.server, this.#onChange, this.#options.times ?? SESSION_TIMES)
    if (Number.isFinite(this.#learned)) session.limitTo(this.#learned)
    this.#sessions.add(session)
    return session
  }

  readonly #onChange = (session: PooledSession): void => {
    const { state } = session
    if (state.kind === 'closed') this.#sessions.delete(session)
    if (state.kind === 'ready') this.#streamsPerSession = session.capacity
    if (state.kind === 'closed' && !state.wasReady) this.#failWaiters(state.error)
    this.#serve()
  }

  #speaksHttp2({ alpnProtocol }: Connection): boolean {
    return alpnProtocol === 'h2' || (this.#options.priorKnowledge === true && typeof alpnProtocol !== 'string')
  }

  /** A dial that failed is the answer for all who waited for it; each of them decides on its own what follows. */
  #failWaiters(error: ProxyError): void {
    if (this.#dials.size > 0) return
    const waiters = this.#waiters
    this.#waiters = []
    for (const waiter of waiters) waiter.reject(error)
  }

  #dropNeedlessDials(): void {
    if (this.#waiters.length > 0) return
    for (const dial of this.#dials) dial.abort(new ProxyError('CLOSED', 'Nobody waits for this connection any more', { side: 'internal' }))
  }

  #unlearn(): void {
    this.#learned = Number.POSITIVE_INFINITY
    for (const session of this.#sessions) session.unlimit()
  }
}
