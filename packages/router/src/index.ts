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
export { rulePatterns } from './rule-patterns.js'
export { routingFeature } from './routing-feature.js'
export { routingSchema, type RoutingRule, type RoutingSettings, type StringList } from './routing-settings.js'
export { RuleRouter, type RuleVerdict } from './rule-router.js'
export type { BalancerSettings } from './balancer.js'
