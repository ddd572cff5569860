import { deadline } from './deadline.js'

/**
 * Watches that something keeps moving. Movement is only noted where it happens, as a time; it is looked at when the limit would
 * be reached, so that it costs nothing to move often.
 */
export class IdleLimit {
  readonly #movedAt: () => number
  readonly #expired: () => void
  #ms = 0
  #cancel: (() => void) | undefined
  #lastLook: NodeJS.Immediate | undefined

  /**
   * @param movedAt When something moved last, by `performance.now()`.
   * @param expired Called when nothing has moved for the limit, after which nothing is watched any more.
   */
  constructor(movedAt: () => number, expired: () => void) {
    this.#movedAt = movedAt
    this.#expired = expired
  }

  /** For how long nothing has moved. */
  get idleMs(): number {
    return performance.now() - this.#movedAt()
  }

  /** Sets the limit that holds from now on, in milliseconds; 0 = none. It is not reached before that time has passed. */
  start(ms: number): void {
    this.stop()
    this.#ms = ms
    this.#cancel = deadline(ms, this.#check)
  }

  /** Looks again after a time, by the same limit. For who is told that it expired and finds a reason to wait. */
  again(ms: number): void {
    this.#cancel = deadline(ms, this.#check)
  }

  stop(): void {
    this.#cancel?.()
    clearImmediate(this.#lastLook)
  }

  readonly #check = (): void => {
    if (this.#isExpired()) this.#lastLook = setImmediate(this.#lookAgain)
  }

  /** After a stall of the event loop timers come first. What waits in the sockets since then has had its turn now. */
  readonly #lookAgain = (): void => {
    if (this.#isExpired()) this.#expired()
  }

  #isExpired(): boolean {
    const leftMs = this.#ms - this.idleMs
    if (leftMs <= 0) return true
    this.again(leftMs)
    return false
  }
}
