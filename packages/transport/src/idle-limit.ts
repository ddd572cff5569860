import { deadline } from './deadline.js'

/**
 * Watches that something keeps moving. Movement is only noted where it happens, as a time; it is looked at when the limit would
 * be reached, so that it costs nothing to move often.
 */
export class IdleLimit {
  readonly #movedAt: () => number
  readonly #expired: () => void
  #ms = 0
  #since = 0
  #cancel: (() => void) | undefined

  /**
   * @param movedAt When something moved last, by `performance.now()`.
   * @param expired Called once per `start`, when nothing has moved for the limit.
   */
  constructor(movedAt: () => number, expired: () => void) {
    this.#movedAt = movedAt
    this.#expired = expired
  }

  /** Sets the limit that holds from now on, in milliseconds; 0 = none. What moved before does not count. */
  start(ms: number): void {
    this.#cancel?.()
    this.#ms = ms
    this.#since = performance.now()
    this.#cancel = deadline(ms, this.#check)
  }

  stop(): void {
    this.#cancel?.()
  }

  readonly #check = (): void => {
    const idleMs = performance.now() - Math.max(this.#since, this.#movedAt())
    if (idleMs < this.#ms) this.#cancel = deadline(this.#ms - idleMs, this.#check)
    else this.#expired()
  }
}
