import { constants } from 'node:http2'
import { ProxyError, type Connection } from '@sluice/core'
import { abort, deadline } from '@sluice/transport'
import type { ConnectRequest } from '../http1-connect.js'
import { PendingTunnel, type PendingOutcome } from './pending-tunnel.js'
import type { PooledSession } from './pooled-session.js'
import type { LeaseOptions, SessionPool } from './session-pool.js'

const HEDGE_AFTER_MS = 1_000

export interface HedgeOptions extends LeaseOptions {
  /** Whether a silent server is better given up for another one. */
  readonly hasOtherServers: boolean
}

/** The tunnel, or `again`: the request must be made anew, for the pool has learned better than to make it here. */
export type HedgedOutcome = Connection | 'again'

/**
 * Asks for a tunnel in a session, and where no answer comes for 1 s, once more on another connection: the first 2xx wins and the
 * other request is cancelled. Nothing was sent in either tunnel yet, so no byte can be doubled.
 *
 * The second request is made only where the first may wait in vain: other tunnels are open on its session (servers answer fewer
 * than they announce), or the session owes an answer to a PING. And only if few others are made at the moment.
 */
export class HedgedTunnel {
  readonly #pool: SessionPool
  readonly #first: PooledSession
  readonly #request: ConnectRequest
  readonly #options: HedgeOptions
  readonly #pending = new Set<PendingTunnel>()
  readonly #hedging = new AbortController()
  readonly #stops: (() => void)[] = []
  #isLeasing = false
  #firstError: unknown
  #resolve!: (outcome: HedgedOutcome) => void
  #reject!: (error: unknown) => void

  /** Takes over a slot of the session. */
  constructor(pool: SessionPool, session: PooledSession, request: ConnectRequest, options: HedgeOptions) {
    this.#pool = pool
    this.#first = session
    this.#request = request
    this.#options = options
  }

  /**
   * @throws {ProxyError} the first failure, once all requests have failed.
   * @throws `signal.reason` as it is.
   */
  open(): Promise<HedgedOutcome> {
    const { signal } = this.#options
    const outcome = new Promise<HedgedOutcome>((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
    const onAbort = (): void => this.#reject(signal.reason)
    signal.addEventListener('abort', onAbort, { once: true })
    this.#stops.push(() => signal.removeEventListener('abort', onAbort))
    if (this.#first.silentMs > HEDGE_AFTER_MS) this.#first.ping()
    this.#ask(this.#first)
    this.#stops.push(deadline(HEDGE_AFTER_MS, () => this.#unanswered()))
    return outcome.finally(() => this.#end())
  }

  #ask(session: PooledSession): void {
    this.#pending.add(new PendingTunnel(session, this.#request, this.#onSettled))
  }

  readonly #onSettled = (outcome: PendingOutcome, pending: PendingTunnel): void => {
    this.#pending.delete(pending)
    if (outcome.kind === 'open') {
      // The first request was made earlier, and to no avail.
      if (pending.session !== this.#first && this.#pending.size > 0) this.#pool.learnLimit(this.#first)
      this.#resolve(outcome.connection)
      return
    }
    if (outcome.kind === 'failed') this.#failed(outcome.error, outcome.rstCode, pending.session)
    if (this.#pending.size > 0 || this.#isLeasing) return
    if (this.#firstError === undefined) this.#resolve('again')
    else this.#reject(this.#firstError)
  }

  #failed(error: ProxyError, rstCode: number | undefined, session: PooledSession): void {
    if (rstCode === constants.NGHTTP2_HTTP_1_1_REQUIRED) {
      this.#pool.useHttp1()
      return
    }
    if (rstCode === constants.NGHTTP2_ENHANCE_YOUR_CALM) session.limitTo(Math.max(1, Math.floor(session.streams / 2)))
    this.#firstError ??= error
  }

  /** The first request has waited for long. */
  #unanswered(): void {
    const { server } = this.#request
    if (this.#first.isSuspect && this.#options.hasOtherServers) {
      this.#reject(new ProxyError('CLOSED', `Server ${server} is silent: no answer to CONNECT and PING within ${HEDGE_AFTER_MS} ms`, { phase: 'connect', server }))
      return
    }
    if (this.#first.streams < 2 && !this.#first.isSuspect) return
    const stopHedge = this.#pool.startHedge()
    if (stopHedge === undefined) return
    this.#stops.push(stopHedge)
    void this.#hedge()
  }

  async #hedge(): Promise<void> {
    this.#isLeasing = true
    try {
      const lease = await this.#pool.lease({ ...this.#options, signal: this.#hedging.signal, except: this.#first })
      this.#isLeasing = false
      if (lease.kind === 'session') this.#ask(lease.session)
      else abort(lease.connection, new ProxyError('CLOSED', 'A request over HTTP/2 is not made again over HTTP/1.1', { side: 'internal' }))
    } catch (error) {
      this.#isLeasing = false
      this.#firstError ??= error
    }
    if (this.#pending.size === 0) this.#reject(this.#firstError)
  }

  #end(): void {
    for (const stop of this.#stops) stop()
    this.#hedging.abort(this.#options.signal.reason)
    for (const pending of this.#pending) pending.cancel()
    this.#pending.clear()
  }
}
