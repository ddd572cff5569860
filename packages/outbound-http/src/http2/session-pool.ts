import { constants } from 'node:http2'
import { ProxyError, toProxyError, type Connection } from '@sluice/core'
import { deadline } from '@sluice/transport'
import { HedgeBudget } from './hedge-budget.js'
import { LearnedLimit } from './learned-limit.js'
import type { DialPhase, Lease, LeaseOptions } from './lease.js'
import { POOL_TIMES, type PoolTimes } from './pool-times.js'
import { PooledSession } from './pooled-session.js'
import { UnreadLimit } from './unread-limit.js'
import { WaitingLine, type Waiter } from './waiting-line.js'

/** Tunnels in one connection while there may be more connections, even if the server takes more: they share its fate and its TCP window. */
const MAX_STREAMS = 100

const HTTP1_ALONE = { alpn: ['http/1.1'] } as const

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
  /** Connections that take tunnels; those that drain or are silent come on top. */
  readonly maxConnections: number
  /** Whether a connection without ALPN speaks HTTP/2 all the same (prior knowledge, RFC 9113 §3.3). */
  readonly priorKnowledge?: boolean
  /** What may wait unread in all tunnels together. @default 256 MiB */
  readonly maxUnreadBytes?: number
  readonly times?: PoolTimes
}

interface PoolDialling {
  readonly startedAt: number
  phase: DialPhase
}

/**
 * The HTTP/2 connections of one dialer to one server for one account. Nobody else's tunnels ever come onto them.
 *
 * A cold pool dials once, however many wait; who finds no free slot waits for one or for the next connection, of which as many
 * are dialled as are needed, up to `maxConnections`. A server that picks HTTP/1.1 gets a connection for each tunnel.
 */
export class SessionPool {
  readonly times: PoolTimes
  /** What the server was found to answer. */
  readonly learned: LearnedLimit
  readonly hedges: HedgeBudget
  readonly #dial: PoolDial
  readonly #options: PoolOptions
  readonly #sessions = new Set<PooledSession>()
  readonly #dials = new Map<AbortController, PoolDialling>()
  readonly #unread: UnreadLimit
  readonly #line = new WaitingLine((waiter, hasTimedOut) => this.#onLeft(waiter, hasTimedOut))
  #protocol: 'unknown' | 'http/1.1' | 'h2' = 'unknown'
  #alpn: Pick<PoolDialOptions, 'alpn'> = {}
  readonly #overHttp1 = new WeakSet<LeaseOptions>()
  #announced = Number.POSITIVE_INFINITY
  #stopRest: (() => void) | undefined
  #closed: ProxyError | undefined

  constructor(dial: PoolDial, options: PoolOptions) {
    this.#dial = dial
    this.#options = options
    this.times = options.times ?? POOL_TIMES
    this.#unread = new UnreadLimit(this.#sessions, options.maxUnreadBytes)
    this.learned = new LearnedLimit(this.times, () => this.#evict())
    this.hedges = new HedgeBudget(() => [...this.#sessions].reduce((sum, { streams }) => sum + streams, 0))
  }

  /** The live sessions, for tests and for whoever wants to look. */
  get sessions(): ReadonlySet<PooledSession> {
    return this.#sessions
  }

  /**
   * Finds a slot, or a connection.
   * @throws {ProxyError} as the dial failed. @throws `signal.reason` as it is.
   */
  async lease(options: LeaseOptions): Promise<Lease> {
    options.signal.throwIfAborted()
    if (this.#closed !== undefined) throw this.#closed
    if (this.#protocol === 'http/1.1' || this.#overHttp1.has(options)) return this.#ownConnection(options)
    const session = this.#freest(options.except)
    if (session === undefined) return this.#wait(options)
    session.take()
    return { kind: 'session', session }
  }

  /**
   * The server wants HTTP/1.1 (HTTP_1_1_REQUIRED): for this tunnel if it did open others over HTTP/2, else for each that is to come.
   * @param tunnel What its lease was asked with, and will be asked with again.
   */
  useHttp1(tunnel?: LeaseOptions): void {
    if (tunnel !== undefined && this.learned.isProven) {
      this.#overHttp1.add(tunnel)
      return
    }
    this.#protocol = 'http/1.1'
    this.#alpn = HTTP1_ALONE
    this.#dissolve()
  }

  /** Cuts everything; who waits or comes later is refused. */
  close(): void {
    this.#closed ??= new ProxyError('CLOSED', `Connections to ${this.#options.server} are closed`, { side: 'internal', phase: 'connect' })
    this.learned.close()
    this.#stopRest?.()
    for (const waiter of this.#line) waiter.refuse(this.#closed)
    for (const dial of [...this.#dials.keys()]) this.#giveUp(dial)
    for (const session of this.#sessions) session.abort(this.#closed)
  }

  /** The session with the fewest tunnels that should get one more. */
  #freest(except?: ReadonlySet<PooledSession>): PooledSession | undefined {
    const mayGrow = this.#usable.filter(({ state }) => state.kind === 'ready').length < this.#options.maxConnections
    const limit = Math.min(this.learned.streams, mayGrow ? MAX_STREAMS : Number.POSITIVE_INFINITY)
    let best: PooledSession | undefined
    for (const session of this.#sessions) {
      const hasRoom = except?.has(session) !== true && session.free > 0 && session.streams < limit
      if (hasRoom && (best === undefined || session.streams < best.streams)) best = session
    }
    return best
  }

  get #usable(): PooledSession[] {
    return [...this.#sessions].filter(({ isUsable }) => isUsable)
  }

  #wait(options: LeaseOptions): Promise<Lease> {
    const lease = this.#line.join(options)
    this.#serve()
    options.onPhase(this.#phase)
    return lease
  }

  /** Gives free slots to who waits longest, and dials for the rest. */
  #serve(): void {
    if (this.#closed !== undefined) return
    for (const waiter of this.#line) {
      const any = this.#freest()
      if (any === undefined) break
      const session = waiter.except?.has(any) === true ? this.#freest(waiter.except) : any
      if (session === undefined) continue
      session.take()
      waiter.grant({ kind: 'session', session })
    }
    if (this.#stopRest !== undefined) return
    for (let missing = this.#missingConnections(); missing > 0; missing--) void this.#connect()
  }

  /** How many more connections those who wait need. */
  #missingConnections(): number {
    if (this.#line.length === 0) return 0
    const usable = this.#usable
    const coming = this.#dials.size + usable.filter(({ state }) => state.kind === 'settling').length
    const perSession = Math.min(this.#announced, this.learned.streams, MAX_STREAMS)
    // A server that takes no streams just now (SETTINGS with 0) takes none on a further connection either.
    if (perSession === 0) return usable.length + this.#dials.size === 0 ? 1 : 0
    const room = this.#options.maxConnections - usable.length - this.#dials.size
    return Math.min(Math.ceil(this.#line.length / perSession) - coming, room)
  }

  /** What those who wait, wait for. */
  get #phase(): DialPhase {
    const [oldest] = this.#dials.values()
    return oldest?.phase ?? 'connect'
  }

  #tellPhase(): void {
    for (const waiter of this.#line) waiter.onPhase(this.#phase)
  }

  async #connect(): Promise<void> {
    const dial = new AbortController()
    const dialling: PoolDialling = { startedAt: performance.now(), phase: 'dial' }
    this.#dials.set(dial, dialling)
    const onPhase = (phase: DialPhase): void => {
      dialling.phase = phase
      this.#tellPhase()
    }
    try {
      const connection = await this.#dial({ ...this.#alpn, signal: dial.signal, onPhase })
      if (this.#dials.delete(dial)) this.#connected(connection)
      else connection.destroy()
    } catch (error) {
      if (this.#dials.delete(dial)) this.#failed(toProxyError(error))
    }
  }

  #connected(connection: Connection): void {
    if (this.#speaksHttp2(connection)) {
      this.#protocol = 'h2'
      this.#adopt(connection)
      this.#tellPhase()
      return
    }
    this.#protocol = 'http/1.1'
    const [first] = this.#line
    if (first === undefined) connection.destroy()
    else first.grant({ kind: 'connection', connection })
    this.#dissolve()
  }

  #adopt(connection: Connection): void {
    this.#sessions.add(new PooledSession(connection, this.#options.server, {
      times: this.times, windowBytes: this.#unread.windowBytes, changed: this.#onChange, sampled: () => this.#unread.check(),
    }))
  }

  readonly #onChange = (session: PooledSession): void => {
    const { state } = session
    if (state.kind === 'ready') this.#announced = session.announced
    if (state.kind === 'closed') {
      this.#sessions.delete(session)
      if (state.goawayCode === constants.NGHTTP2_HTTP_1_1_REQUIRED) this.useHttp1()
      if (state.goawayCode === constants.NGHTTP2_ENHANCE_YOUR_CALM) this.#rest()
      if (!state.wasReady) this.#failed(state.error)
    }
    this.#serve()
  }

  /** A connection that failed is the answer for all who waited for it; each of them decides on its own what follows. */
  #failed(error: ProxyError): void {
    const isMoreComing = this.#dials.size > 0 || this.#usable.some(({ state }) => state.kind === 'settling')
    if (isMoreComing) return
    for (const waiter of this.#line) waiter.refuse(error)
  }

  #onLeft({ since }: Waiter, hasTimedOut: boolean): void {
    for (const [dial, { startedAt }] of [...this.#dials]) {
      // Nobody wants it, or it took longer than a whole handshake may: a fresh one may fare better for those who still wait.
      if (this.#line.length === 0 || (hasTimedOut && startedAt <= since)) this.#giveUp(dial)
    }
    this.#serve()
  }

  #giveUp(dial: AbortController): void {
    this.#dials.delete(dial)
    dial.abort(new ProxyError('CLOSED', 'Nobody waits for this connection any more', { side: 'internal', phase: 'dial' }))
  }

  /** Gives each who waits a connection of its own. */
  #dissolve(): void {
    for (const waiter of this.#line) waiter.grant(this.#ownConnection(waiter))
    for (const dial of [...this.#dials.keys()]) this.#giveUp(dial)
  }

  async #ownConnection(options: LeaseOptions): Promise<Lease> {
    const { signal, onPhase } = options
    const offer = this.#overHttp1.has(options) ? HTTP1_ALONE : this.#alpn
    const connection = await this.#dial({ ...offer, signal, onPhase })
    if (offer === HTTP1_ALONE || !this.#speaksHttp2(connection)) return { kind: 'connection', connection }
    // The server has changed its mind.
    this.#protocol = 'h2'
    this.#adopt(connection)
    return this.#wait(options)
  }

  #speaksHttp2({ alpnProtocol }: Connection): boolean {
    return alpnProtocol === 'h2' || (this.#options.priorKnowledge === true && typeof alpnProtocol !== 'string')
  }

  #evict(): void {
    for (const session of this.#sessions) if (session.streams > this.learned.streams) session.evict()
  }

  #rest(): void {
    this.#stopRest?.()
    this.#stopRest = deadline(this.times.calmMs, () => {
      this.#stopRest = undefined
      this.#serve()
    })
  }
}
