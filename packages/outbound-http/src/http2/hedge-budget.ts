/** So many requests may be made a second time at once in any case, and beyond that a share of all tunnels. */
const MIN_HEDGES = 4
const HEDGED_SHARE = 0.1

/** Bounds how many requests are made a second time at once: a slow server is not to be asked for everything twice. */
export class HedgeBudget {
  readonly #tunnels: () => number
  readonly #waiting = new Set<() => void>()
  #running = 0

  /** @param tunnels How many there are now. */
  constructor(tunnels: () => number) {
    this.#tunnels = tunnels
  }

  /**
   * Calls `start` when there is room, perhaps at once.
   * @returns Gives the room back, or the wait up. To be called once.
   */
  enter(start: () => void): () => void {
    const run = (): void => {
      this.#running++
      start()
    }
    if (this.#hasRoom) run()
    else this.#waiting.add(run)
    return () => {
      if (this.#waiting.delete(run)) return
      this.#running--
      this.#startWaiting()
    }
  }

  get #hasRoom(): boolean {
    return this.#running < Math.max(MIN_HEDGES, this.#tunnels() * HEDGED_SHARE)
  }

  #startWaiting(): void {
    for (const run of this.#waiting) {
      if (!this.#hasRoom) return
      this.#waiting.delete(run)
      run()
    }
  }
}
