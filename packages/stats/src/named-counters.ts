import { EVENTS, inject, injectable, type Counter, type InstanceEvents, type StatsManager } from '@sluice/core'
import { TrafficCounter } from './traffic-counter.js'

/** How many names are counted. Names come from tags and accounts, so only a mistake or a flood reaches this. */
export const MAX_NAMES = 100_000

/**
 * All counters of an instance. A name is counted from the first time that somebody asks for it until the instance ends; the
 * names after the first {@link MAX_NAMES} are not counted, which is logged once.
 */
@injectable()
export class NamedCounters implements StatsManager {
  // A Map: a user may be called __proto__.
  readonly #counters = new Map<string, TrafficCounter>()
  readonly #events: InstanceEvents
  #full = false

  constructor(@inject(EVENTS) events: InstanceEvents) {
    this.#events = events
  }

  counter(name: string): Counter | undefined {
    return this.#counters.get(name) ?? this.#create(name)
  }

  snapshot(): ReadonlyMap<string, number> {
    const names = [...this.#counters.keys()].sort()
    return new Map(names.map((name) => [name, this.#counters.get(name)?.value ?? 0]))
  }

  #create(name: string): Counter | undefined {
    if (this.#counters.size >= MAX_NAMES) {
      if (!this.#full) this.#events.log('warning', `Further names are not counted: there are ${MAX_NAMES} counters`)
      this.#full = true
      return undefined
    }
    const counter = new TrafficCounter()
    this.#counters.set(name, counter)
    return counter
  }
}
