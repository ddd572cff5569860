import { defineFeature, STATS_MANAGER } from '@sluice/core'
import { NamedCounters } from './named-counters.js'

/** The section `stats`. It has no settings: that it is there switches the counters on, and the policy says which of them. */
export type StatsSettings = Readonly<Record<string, never>>

declare module '@sluice/core' {
  interface FeatureSections { stats: StatsSettings }
}

/** Counters of traffic, where the config has a section `stats`. */
export const statsFeature = defineFeature({
  section: 'stats',
  provides: STATS_MANAGER,
  optional: true,
  schema: { type: 'object', additionalProperties: false, properties: {}, description: 'Switches the counters on' },
  useClass: NamedCounters,
})
