/** A group of outbounds of which one takes each session. */
export interface BalancerSettings {
  readonly tag: string
  /** Beginnings of tags: every outbound whose tag starts with one of them belongs to the group. */
  readonly selector: readonly string[]
  /** `random` or `roundRobin`. @default random */
  readonly strategy?: { readonly type?: 'random' | 'roundRobin' }
  /** Takes the session where the group is empty. */
  readonly fallbackTag?: string
}

/** Picks an outbound of the group for each session. */
export class Balancer {
  readonly #members: readonly string[]
  readonly #fallback: string | undefined
  readonly #inTurn: boolean
  #next = 0

  /** @param tags All outbounds' tags, in the order of the config. */
  constructor({ selector, strategy, fallbackTag }: BalancerSettings, tags: readonly string[]) {
    this.#members = membersOf(selector, tags)
    this.#fallback = fallbackTag
    this.#inTurn = strategy?.type === 'roundRobin'
  }

  /** @returns `undefined` for an empty group without a fallback, which a check at the load refuses. */
  pick(): string | undefined {
    const { length } = this.#members
    if (length === 0) return this.#fallback
    const index = this.#inTurn ? this.#next : Math.floor(Math.random() * length)
    this.#next = (this.#next + 1) % length
    return this.#members[index]
  }
}

export function membersOf(selector: readonly string[], tags: readonly string[]): string[] {
  return tags.filter((tag) => selector.some((start) => tag.startsWith(start)))
}
