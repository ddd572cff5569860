/**
 * Counters of traffic by name, switched on by a section `stats` in the config.
 *
 * @example
 * ```ts
 * import { createInstance, STATS_MANAGER } from '@sluice/core'
 * import { statsFeature } from '@sluice/stats'
 * import { transport } from '@sluice/transport'
 *
 * const instance = createInstance({ stats: {} }, { modules: [statsFeature, transport] })
 * const uplinkBytes = instance.get(STATS_MANAGER).snapshot().get('inbound>>>office>>>traffic>>>uplink')
 * ```
 *
 * @packageDocumentation
 */
export { MAX_NAMES, NamedCounters } from './named-counters.js'
export { statsFeature, type StatsSettings } from './stats-feature.js'
export { TrafficCounter } from './traffic-counter.js'
