import { constants } from 'node:http2'
import { ProxyError, type Connection } from '@sluice/core'
import { deadline } from '@sluice/transport'
import type { EarlyData } from '../early-data.js'
import type { ConnectRequest } from '../http1-connect.js'
import { PendingTunnel, type PendingOutcome } from './pending-tunnel.js'
import type { PooledSession } from './pooled-session.js'
import type { LeaseOptions } from './lease.js'
import type { SessionPool } from './session-pool.js'

export interface HedgeOptions extends LeaseOptions {
  /** Whether a silent server is better given up for another one. */
  readonly hasOtherServers: boolean
  /** Goes with the request; once some has gone there is no second one, and no other session. */
  readonly early?: EarlyData | undefined
}

/** The tunnel, or `again`: the request must be made anew, for the pool has learned better than to make it here. */
export type HedgedOutcome = Connection | 'again'

/**
 * Asks for a tunnel in a session, and where no answer comes for 1 s, once more on another connection: the first answer counts and
 * the other request is cancelled. Nothing was sent in either tunnel yet, so no byte can be doubled; where some was, it stays at one.
 *
 * The second request is made only where the first may wait in vain: other tunnels are open on its session (servers answer fewer
 * than they announce), or the session owes an answer to a PING. And, but for that, only if few others are made at the moment. There
 * are never more than two at a time.
 */
export class HedgedTunnel {
  readonly #pool: SessionPool
  #first: PooledSession
  readonly #request: ConnectRequest
  readonly #options: HedgeOptions
  readonly #pending = new Set<PendingTunnel>()
  readonly #stops: (() => void)[] = []
  readonly #hedging = new AbortController()
  /** Where it was asked for. */
  readonly #asked = new Set<PooledSession>()
  #isHedged = false
  #waitMs: number
  #firstError: ProxyError | undefined
  #settle: ((outcome: HedgedOutcome | Promise<never>) => void) | undefined

  /** Takes over a slot of the session. */
  constructor(pool: SessionPool, session: PooledSession, request: ConnectRequest, options: HedgeOptions) {
    this.#pool = pool
    this.#first = session
    this.#request = request
    this.#options = options
    this.#waitMs = pool.times.hedgeAfterMs
  }

  /**
   * @throws {ProxyError} what the server answered, or the first failure once all requests have failed.
   * @throws `signal.reason` as it is.
   */
  open(): Promise<HedgedOutcome> {
    const { signal } = this.#options
    if (signal.aborted) {
      this.#first.release()
      return Promise.reject(signal.reason as Error)
    }
    return new Promise((resolve) => {
      this.#settle = resolve
      this.#watch()
      if (this.#first.silentMs > this.#pool.times.suspectMs) this.#first.ping()
      this.#ask(this.#first, this.#options.early)
    })
  }

  #watch(): void {
    const { signal } = this.#options
    const onAbort = (): void => this.#fail(signal.reason)
    signal.addEventListener('abort', onAbort)
    this.#stops.push(
      () => signal.removeEventListener('abort', onAbort),
      this.#first.onSuspicion(() => this.#onSuspicion()),
      deadline(this.#pool.times.hedgeAfterMs, () => this.#onUnanswered()),
    )
  }

  #stop(): void {
    for (const stop of this.#stops) stop()
    this.#stops.length = 0
  }

  #ask(session: PooledSession, early?: EarlyData): void {
    this.#asked.add(session)
    this.#pending.add(new PendingTunnel(session, this.#request, { settled: this.#onSettled, early }))
  }

  readonly #onSettled = (outcome: PendingOutcome, pending: PendingTunnel): void => {
    this.#pending.delete(pending)
    const isAnswer = outcome.kind === 'open' || (outcome.kind === 'failed' && outcome.isAnswer)
    if (isAnswer) this.#answered(pending)
    if (outcome.kind === 'open') {
      this.#end(outcome.connection)
      return
    }
    if (outcome.kind === 'failed') this.#learn(outcome.error, pending.session, outcome.rstCode)
    const [left] = this.#pending
    if (isAnswer) this.#fail(outcome.error)
    else if (left !== undefined) this.#relyOn(left, outcome)
    else this.#allFailed(outcome)
  }

  #allFailed(outcome: Exclude<PendingOutcome, { kind: 'open' }>): void {
    const { server } = this.#request
    if (this.#firstError !== undefined) this.#fail(this.#firstError)
    else if (this.#options.early?.hasSent !== true) this.#end('again')
    else if (outcome.kind === 'failed') this.#fail(outcome.error)
    else this.#fail(new ProxyError('CLOSED', `Server ${server} closed the connection under the request`, { phase: 'connect', server }))
  }

  /** Of two requests one is gone. If it was sent away, the other is now the first, and may need a second of its own. */
  #relyOn({ session }: PendingTunnel, { kind }: PendingOutcome): void {
    if (kind !== 'evicted') return
    this.#stop()
    this.#first = session
    this.#isHedged = false
    this.#watch()
  }

  /** Tells the pool that this session answered, and that the other one did not although it was asked earlier. */
  #answered({ session }: PendingTunnel): void {
    this.#pool.learned.answered(session)
    if (session === this.#first) return
    for (const earlier of this.#pending) this.#pool.learned.overtaken(this.#first, earlier.streamId)
  }

  #learn(error: ProxyError, session: PooledSession, rstCode: number | undefined): void {
    if (rstCode === constants.NGHTTP2_HTTP_1_1_REQUIRED) {
      // And again, over that.
      this.#pool.useHttp1(this.#options)
      return
    }
    if (rstCode === constants.NGHTTP2_ENHANCE_YOUR_CALM) session.calmDown()
    this.#firstError ??= error
  }

  /** The first request has waited for long. */
  #onUnanswered(): void {
    if (this.#first.isSuspect) return
    if (this.#first.silentMs >= this.#pool.times.hedgeAfterMs) this.#first.ping()
    // Alone there, and not sent there from elsewhere, it waits for its target.
    if (this.#first.streams < 2 && this.#asked.size < 2) return
    this.#stops.push(this.#pool.hedges.enter(() => void this.#hedge()))
  }

  /** The second may have come to a connection that answers no more either: it is made elsewhere, each time after twice the wait. */
  #onBothUnanswered(): void {
    const second = [...this.#pending].find(({ session }) => session !== this.#first)
    if (second === undefined) return
    this.#pending.delete(second)
    second.cancel()
    this.#isHedged = false
    void this.#hedge()
  }

  /** The server does not answer at all. */
  #onSuspicion(): void {
    const { server } = this.#request
    // The answer may still come, and nobody else can give it.
    if (this.#options.early?.hasSent === true) return
    if (this.#options.hasOtherServers) {
      this.#fail(new ProxyError('CLOSED', `Server ${server} is silent: it answers neither CONNECT nor PING`, { phase: 'connect', server }))
    } else {
      void this.#hedge()
    }
  }

  async #hedge(): Promise<void> {
    const { early } = this.#options
    if (this.#isHedged || this.#hedging.signal.aborted || early?.hasSent === true) return
    this.#isHedged = true
    early?.forgo()
    try {
      const { signal } = this.#hedging
      // Whatever phase a second connection is in, this tunnel waits for its answer.
      const lease = await this.#pool.lease({ signal, onPhase: () => {}, except: this.#asked })
      const isOver = signal.aborted
      if (lease.kind === 'connection') lease.connection.destroy()
      else if (isOver) lease.session.release()
      else {
        this.#ask(lease.session)
        this.#stops.push(deadline(this.#waitMs *= 2, () => this.#onBothUnanswered()))
      }
    } catch {
      // The first request is still under way, and its outcome is what counts.
    }
  }

  #fail(error: unknown): void {
    this.#end(Promise.reject(error as Error))
  }

  #end(outcome: HedgedOutcome | Promise<never>): void {
    this.#settle?.(outcome)
    this.#settle = undefined
    this.#stop()
    this.#hedging.abort()
    for (const pending of this.#pending) pending.cancel()
    this.#pending.clear()
  }
}
