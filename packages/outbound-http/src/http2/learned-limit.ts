import { deadline } from '@sluice/transport'
import type { PooledSession } from './pooled-session.js'
import type { PoolTimes } from './pool-times.js'

interface Finding {
  readonly streams: number
  /** By the monotonic clock. */
  readonly at: number
}

/**
 * How many streams per connection a server is found to answer, where that is less than it announces: Apache 2.4 answers 6, nghttpx
 * 8, and both leave the others waiting in silence.
 *
 * A target that is slow looks the same at first. So a connection is suspected only when a request was answered elsewhere sooner
 * while this one answered no later request; it then gets a moment to answer any; and one such request is proof only if others
 * wait with it, or the same was seen before. No limit is ever below what was seen answered at once: a connection that answers less
 * than that is alone in it (of Apache's, one in which tunnels were cut), and is narrowed by itself.
 */
export class LearnedLimit {
  readonly #times: PoolTimes
  readonly #learned: () => void
  #found: Finding | undefined
  /** The most tunnels that were ever open in one connection, as the server answered them. */
  #proven: Finding | undefined
  #suspicion: Finding | undefined
  readonly #judging = new Map<PooledSession, () => void>()

  /** @param learned Called when a limit was found. */
  constructor(times: PoolTimes, learned: () => void) {
    this.#times = times
    this.#learned = learned
  }

  /** The limit; infinite as long as none was found, and again some time after the last finding. */
  get streams(): number {
    return this.#valid(this.#found)?.streams ?? Number.POSITIVE_INFINITY
  }

  /** Whether the server was seen to open tunnels over HTTP/2. */
  get isProven(): boolean {
    return this.#proven !== undefined && this.#proven.streams > 0
  }

  /** Notes that a connection answered a request. */
  answered({ answered }: PooledSession): void {
    if (answered >= (this.#valid(this.#proven)?.streams ?? 0)) this.#proven = { streams: answered, at: performance.now() }
  }

  /** Notes that a request in this connection was answered in another one first. */
  overtaken(session: PooledSession, streamId: number): void {
    if (session.isSuspect || session.lastAnsweredId > streamId || this.#judging.has(session)) return
    if (session.answered === 0) {
      // Whatever keeps it from answering: nobody should come to wait there.
      session.drain()
      return
    }
    const { lastAnsweredId } = session
    this.#judging.set(session, deadline(this.#times.judgeAfterMs, () => {
      this.#judging.delete(session)
      if (session.state.kind !== 'closed' && !session.isSuspect && session.lastAnsweredId === lastAnsweredId) this.#judge(session)
    }))
  }

  /** Ends all timers. */
  close(): void {
    for (const cancel of this.#judging.values()) cancel()
    this.#judging.clear()
  }

  #judge(session: PooledSession): void {
    const { answered, unanswered } = session
    if (answered < (this.#valid(this.#proven)?.streams ?? 0)) {
      if (unanswered > 0) session.narrow()
      return
    }
    const finding = { streams: answered, at: performance.now() }
    const isSeenBefore = this.#valid(this.#suspicion)?.streams === answered
    this.#suspicion = finding
    if (!isSeenBefore && unanswered === 0) return
    this.#found = finding
    this.#learned()
  }

  #valid(finding: Finding | undefined): Finding | undefined {
    return finding !== undefined && performance.now() - finding.at < this.#times.learnedMs ? finding : undefined
  }
}
