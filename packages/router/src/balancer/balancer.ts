import type { Health } from '../observatory/health.js'
import type { BalancerSettings } from './balancer-settings.js'
import { LeastLoad } from './least-load.js'

/** What a balancer knows of one outbound of its group. */
export interface BalancerMember {
  readonly tag: string
  /** Absent: it is not probed, or not yet. */
  readonly health?: Health
}

/** Picks an outbound of the group for each session. One that answers no probes is avoided as long as another may. */
export class Balancer {
  readonly #tags: readonly string[]
  readonly #fallback: string | undefined
  readonly #strategy: 'random' | 'roundRobin' | 'leastPing' | 'leastLoad'
  readonly #leastLoad: LeastLoad
  readonly #healthOf: (tag: string) => Health | undefined
  #next = 0

  /**
   * @param tags All outbounds' tags, in the order of the config.
   * @param healthOf What is known of an outbound.
   */
  constructor(
    { selector, strategy = {}, fallbackTag }: BalancerSettings, tags: readonly string[], healthOf: (tag: string) => Health | undefined,
  ) {
    this.#tags = membersOf(selector, tags)
    this.#fallback = fallbackTag
    this.#strategy = strategy.type ?? 'random'
    this.#leastLoad = new LeastLoad(strategy.settings ?? {})
    this.#healthOf = healthOf
  }

  get members(): readonly BalancerMember[] {
    return this.#tags.map((tag) => {
      const health = this.#healthOf(tag)
      return { tag, ...(health === undefined ? {} : { health }) }
    })
  }

  /** @returns `undefined` for an empty group without a fallback, which a check at the load refuses. */
  pick(): string | undefined {
    const alive = this.#tags.filter((tag) => this.#healthOf(tag)?.alive !== false)
    // With nobody alive and no fallback, one that seems dead is better than a session refused.
    if (alive.length === 0) return this.#fallback ?? this.#anyOf(this.#tags)
    switch (this.#strategy) {
      case 'random': return this.#anyOf(alive)
      case 'roundRobin': return this.#nextOf(alive)
      case 'leastPing': return this.#quickestOf(alive) ?? this.#anyOf(alive)
      case 'leastLoad': return this.#leastLoadedOf(alive)
    }
  }

  #quickestOf(tags: readonly string[]): string | undefined {
    const rttOf = (tag: string): number => this.#healthOf(tag)?.rttMs ?? Number.POSITIVE_INFINITY
    const probed = tags.filter((tag) => this.#healthOf(tag) !== undefined)
    return probed.length === 0 ? undefined : probed.reduce((best, tag) => (rttOf(tag) < rttOf(best) ? tag : best))
  }

  /** Before the first probe anybody will do; afterwards, where nobody is good enough, the fallback. */
  #leastLoadedOf(tags: readonly string[]): string | undefined {
    if (tags.every((tag) => this.#healthOf(tag) === undefined)) return this.#anyOf(tags)
    const best = this.#leastLoad.best(tags, this.#healthOf)
    return best.length > 0 ? this.#anyOf(best) : this.#fallback ?? this.#anyOf(tags)
  }

  #anyOf(tags: readonly string[]): string | undefined {
    return tags[Math.floor(Math.random() * tags.length)]
  }

  #nextOf(tags: readonly string[]): string | undefined {
    const tag = tags[this.#next % tags.length]
    this.#next = (this.#next + 1) % Number.MAX_SAFE_INTEGER
    return tag
  }
}

export function membersOf(selector: readonly string[], tags: readonly string[]): string[] {
  return tags.filter((tag) => selector.some((start) => tag.startsWith(start)))
}
