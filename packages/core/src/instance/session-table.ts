import type { LiveSessions } from '../contracts/context.js'
import type { Session } from './session.js'

/** The sessions that are alive. */
export class SessionTable implements LiveSessions {
  readonly #sessions = new Set<Session>()
  #cut: Error | undefined
  #onEmpty: (() => void)[] = []

  get size(): number {
    return this.#sessions.size
  }

  [Symbol.iterator](): IterableIterator<Session> {
    return this.#sessions.values()
  }

  add(session: Session): void {
    this.#sessions.add(session)
    if (this.#cut !== undefined) session.cancel(this.#cut)
  }

  delete(session: Session): void {
    this.#sessions.delete(session)
    if (this.#sessions.size > 0) return
    const waiting = this.#onEmpty
    this.#onEmpty = []
    for (const resolve of waiting) resolve()
  }

  /** Resolves when no session is left. */
  empty(): Promise<void> {
    if (this.#sessions.size === 0) return Promise.resolve()
    return new Promise((resolve) => this.#onEmpty.push(resolve))
  }

  /** Cancels every session, and from now on each that still comes. @returns how many there were. */
  cut(reason: Error): number {
    this.#cut = reason
    const alive = [...this.#sessions]
    for (const session of alive) session.cancel(reason)
    return alive.length
  }
}
