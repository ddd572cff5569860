import type { ProxyError } from '@sluice/core'

const FIRST_REST_MS = 1_000
const MAX_REST_MS = 30_000
const REST_JITTER = 0.2
/** A failing server that must be tried all the same is dialled this often at most. */
const MIN_REDIAL_MS = 200
/** So many unanswered CONNECTs in a row, on at least two targets, are the server's fault and not the target's. */
const UNANSWERED_TO_REST = 3
/** So often in a row may another server be faster by far. One more dial costs a session 1 s. */
const OUTRUN_TO_REST = 2

/**
 * What is known of a server's health: after a failure of its own it rests, 1 s at first and up to 30 s, then one session probes
 * it. It rests only in favour of others; who has no other asks `admit`.
 */
export class ServerHealth {
  readonly #now: () => number
  readonly #random: () => number
  #failures = 0
  #failedAt = Number.NEGATIVE_INFINITY
  #restsUntil = Number.NEGATIVE_INFINITY
  #probing = false
  #lastDialAt = Number.NEGATIVE_INFINITY
  #lastError: ProxyError | undefined
  #outrun = 0
  #unanswered = 0
  readonly #unansweredTargets = new Set<string>()

  /** @param now Milliseconds on a clock that only goes forward. */
  constructor(now = (): number => performance.now(), random: () => number = Math.random) {
    this.#now = now
    this.#random = random
  }

  /** When it last failed; −∞ if it never did. */
  get failedAt(): number {
    return this.#failedAt
  }

  /** Whether it rests, or is being probed by another session. */
  get isResting(): boolean {
    return this.#now() < this.#restsUntil || this.#probing
  }

  /**
   * Asks for a dial. A failing server gets at most five in a second, from all sessions together.
   * @returns The failure to report in place of dialling; `undefined`: dial.
   */
  admit(): ProxyError | undefined {
    const now = this.#now()
    if (this.#isDown && now - this.#lastDialAt < MIN_REDIAL_MS) return this.#lastError
    this.#lastDialAt = now
    if (this.#isDown && now >= this.#restsUntil) this.#probing = true
    return undefined
  }

  /** It answered, whatever it said. @returns whether that is news. */
  answered(): boolean {
    const news = this.#isDown
    this.#failures = 0
    this.#restsUntil = Number.NEGATIVE_INFINITY
    this.#probing = false
    this.#lastError = undefined
    this.#outrun = 0
    this.#forgetUnanswered()
    return news
  }

  /**
   * An attempt that began at `startedAt`, on the same clock, failed by the server's fault.
   * @returns How long it rests now, in ms; `undefined` if that failure was known already.
   */
  failed(error: ProxyError, startedAt: number): number | undefined {
    this.#probing = false
    // Of many attempts that were under way together, the first to fail has said it all.
    if (this.#isDown && startedAt <= this.#failedAt) return undefined
    this.#failures++
    this.#failedAt = this.#now()
    this.#lastError = error
    const restMs = Math.min(FIRST_REST_MS * 2 ** (this.#failures - 1), MAX_REST_MS)
    return this.rest(restMs * (1 + REST_JITTER * (2 * this.#random() - 1)))
  }

  /** A CONNECT got no answer. @returns whether that counts as a failure of the server by now. */
  unanswered(target: string): boolean {
    this.#unanswered++
    if (this.#unansweredTargets.size < 2) this.#unansweredTargets.add(target)
    return this.#unanswered >= UNANSWERED_TO_REST && this.#unansweredTargets.size >= 2
  }

  /** It gave no connection while another server opened the tunnel. @returns whether that counts as a failure of the server by now. */
  outrun(): boolean {
    return ++this.#outrun >= OUTRUN_TO_REST
  }

  /** It asked for rest (Retry-After), or earned it. @returns `ms` */
  rest(ms: number): number {
    this.#restsUntil = Math.max(this.#restsUntil, this.#now() + ms)
    return ms
  }

  /** The probing session was cancelled: the next one may probe. */
  release(): void {
    this.#probing = false
  }

  #forgetUnanswered(): void {
    this.#unanswered = 0
    this.#unansweredTargets.clear()
  }

  /** It failed and was not reached since. */
  get #isDown(): boolean {
    return this.#failures > 0
  }
}
