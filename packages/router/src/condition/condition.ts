import type { Context } from '@sluice/core'

/** What rules look at. */
export interface RoutingFacts {
  readonly session: Context
  /** The target's name, in lower case and without a dot at its end: that of the target, or what was sniffed. Absent: it has none. */
  readonly name: string | undefined
  /** Addresses of the target: its own if it is one, those of its name once that was resolved; `undefined` before. */
  readonly addresses: readonly string[] | undefined
}

/** One condition of a rule: any of its values will do. */
export interface Condition {
  /** The rule's key, as `domain`. */
  readonly key: string
  /** Whether a name must be resolved before it can hold. */
  readonly needsAddresses?: boolean
  matches(facts: RoutingFacts): boolean
}
