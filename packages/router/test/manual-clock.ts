import type { ProbeClock } from '../src/index.js'

/** A clock that stands until it is told to go on. */
export class ManualClock implements ProbeClock {
  #now = 0
  readonly #timers = new Map<() => void, number>()

  /** How many timers are set. */
  get pending(): number {
    return this.#timers.size
  }

  now(): number {
    return this.#now
  }

  after(ms: number, run: () => void): () => void {
    const timer = (): void => run()
    this.#timers.set(timer, this.#now + ms)
    return () => this.#timers.delete(timer)
  }

  /** Fires what is due by then. */
  async advance(ms: number): Promise<void> {
    this.#now += ms
    for (const [timer, at] of [...this.#timers]) {
      if (at > this.#now) continue
      this.#timers.delete(timer)
      timer()
    }
    await new Promise(setImmediate)
  }
}
