/**
 * The section `routing`: which outbound takes which session.
 *
 * @example
 * ```ts
 * import { createInstance, type Config, type Module } from '@sluice/core'
 * import { routingFeature } from '@sluice/router'
 *
 * export function start(config: Config, modules: readonly Module[]) {
 *   const routing = { rules: [{ inboundTag: ['office'], outboundTag: 'proxy' }] }
 *   return createInstance({ ...config, routing }, { modules: [...modules, routingFeature] })
 * }
 * ```
 *
 * @packageDocumentation
 */
export type { BalancerMember } from './balancer/balancer.js'
export type { BalancerSettings, BalancerStrategy, LeastLoadSettings, LoadCost } from './balancer/balancer-settings.js'
export { BURST_OBSERVATORY, OBSERVATORY, type Health, type Observatory } from './observatory/health.js'
export {
  burstObservatoryFeature, createBurstObservatoryFeature, createObservatoryFeature, observatoryFeature, type ObservatoryOptions,
} from './observatory/observatory-feature.js'
export type { BurstObservatorySettings, ObservatorySettings, PingSettings } from './observatory/observatory-settings.js'
export type { ProbeClock } from './observatory/prober.js'
export { rulePatterns } from './rule-patterns.js'
export { routingFeature } from './routing-feature.js'
export { routingSchema, type RoutingRule, type RoutingSettings, type StringList } from './routing-settings.js'
export { RuleRouter, type Explanation, type RuleVerdict } from './rule-router.js'
