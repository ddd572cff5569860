import { expression } from '../condition/expression.js'
import type { Health } from '../observatory/health.js'
import { parseDuration } from '../observatory/parse-duration.js'
import type { LeastLoadSettings } from './balancer-settings.js'

type Cost = readonly [matches: (tag: string) => boolean, factor: number]

/** Finds those that answer most evenly: by the deviation of their times, then by the times. */
export class LeastLoad {
  readonly #expected: number
  readonly #maxRttMs: number
  readonly #tolerance: number
  readonly #baselinesMs: readonly number[]
  readonly #costs: readonly Cost[]

  /** @throws {BadPattern} for a cost's expression that a check at the load has refused. */
  constructor({ expected = 1, maxRTT, tolerance = 1, baselines = [], costs = [] }: LeastLoadSettings) {
    this.#expected = Math.max(1, expected)
    this.#maxRttMs = parseDuration(maxRTT ?? '') ?? Number.POSITIVE_INFINITY
    this.#tolerance = tolerance
    this.#baselinesMs = baselines.map((baseline) => parseDuration(baseline) ?? 0).sort((a, b) => a - b)
    this.#costs = costs.map(({ regexp = false, match, value }) =>
      [regexp ? expression(match) : (tag: string) => tag.includes(match), Math.sqrt(value)] as const)
  }

  /** @returns those that share the sessions; none where nobody is good enough. */
  best(tags: readonly string[], healthOf: (tag: string) => Health | undefined): readonly string[] {
    const ranked = tags.flatMap((tag) => {
      const health = healthOf(tag)
      if (health === undefined || !health.alive || health.rttMs > this.#maxRttMs || health.failed > this.#tolerance) return []
      return [{ tag, rttMs: health.rttMs, deviationMs: health.deviationMs * this.#factorOf(tag) }]
    }).sort((a, b) => a.deviationMs - b.deviationMs || a.rttMs - b.rttMs)
    const within = this.#baselinesMs.map((limitMs) => ranked.filter(({ deviationMs }) => deviationMs < limitMs).length)
    const count = within.find((found) => found >= this.#expected) ?? Math.max(this.#expected, within.at(-1) ?? 0)
    return ranked.slice(0, count).map(({ tag }) => tag)
  }

  #factorOf(tag: string): number {
    return this.#costs.find(([matches]) => matches(tag))?.[1] ?? 1
  }
}
