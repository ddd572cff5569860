import type { Answer } from './name-server.js'

const MAX_ENTRIES = 10_000

/** Keeps answers within their time to live; the oldest gives way where there are too many. */
export class AnswerCache {
  readonly #entries = new Map<string, { readonly addresses: readonly string[], readonly until: number }>()
  readonly #now: () => number

  /** @param now Milliseconds of a clock that never goes back. */
  constructor(now: () => number) {
    this.#now = now
  }

  /** An empty list: it is known that there is no address. */
  get(key: string): readonly string[] | undefined {
    const entry = this.#entries.get(key)
    if (entry !== undefined && entry.until > this.#now()) return entry.addresses
    this.#entries.delete(key)
    return undefined
  }

  set(key: string, { addresses, ttlSeconds }: Answer): void {
    if (ttlSeconds <= 0) return
    this.#entries.delete(key)
    const [oldest] = this.#entries.keys()
    if (this.#entries.size >= MAX_ENTRIES && oldest !== undefined) this.#entries.delete(oldest)
    this.#entries.set(key, { addresses, until: this.#now() + ttlSeconds * 1_000 })
  }
}
