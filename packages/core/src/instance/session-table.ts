import type { Session } from './session.js'

/** The sessions that are alive. */
export class SessionTable {
  readonly #sessions = new Set<Session>()
  #onEmpty: (() => void)[] = []

  get size(): number {
    return this.#sessions.size
  }

  [Symbol.iterator](): IterableIterator<Session> {
    return this.#sessions.values()
  }

  add(session: Session): void {
    this.#sessions.add(session)
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

  /** Cancels every session. @returns how many there were. */
  cancelAll(reason: Error): number {
    const cut = this.#sessions.size
    for (const session of this.#sessions) session.cancel(reason)
    return cut
  }
}
