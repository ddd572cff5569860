import { ConfigError, defineFeature, fault, OUTBOUND_MANAGER, RESOLVER, ROUTER, type Resolve, type Token } from '@sluice/core'
import { checkRouting } from './check-routing.js'
import { BURST_OBSERVATORY, OBSERVATORY, type Observatory } from './observatory/health.js'
import { respellStrategies } from './respell-strategies.js'
import { routingSchema, type RoutingSettings } from './routing-settings.js'
import { RuleRouter } from './rule-router.js'

declare module '@sluice/core' {
  interface FeatureSections { routing: RoutingSettings }
}

/** The section `routing`: which outbound takes which session. */
export const routingFeature = defineFeature({
  section: 'routing',
  provides: ROUTER,
  schema: routingSchema,
  upgrade: respellStrategies,
  check: checkRouting,
  create(settings, resolve) {
    const observatories = [present(resolve, OBSERVATORY), present(resolve, BURST_OBSERVATORY)].filter((found) => found !== undefined)
    refuseBlindBalancers(settings ?? {}, observatories)
    return new RuleRouter(settings ?? {}, resolve(OUTBOUND_MANAGER), resolve(RESOLVER), observatories)
  },
})

/** A section that a config need not have. */
function present(resolve: Resolve, token: Token<Observatory>): Observatory | undefined {
  try {
    return resolve(token)
  } catch {
    return undefined
  }
}

/** Without probes such a balancer would pick at random, in silence. @throws {ConfigError} */
function refuseBlindBalancers({ balancers = [] }: RoutingSettings, observatories: readonly Observatory[]): void {
  if (observatories.length > 0) return
  const faults = balancers.flatMap(({ strategy: { type = 'random' } = {} }, index) => {
    if (type !== 'leastPing' && type !== 'leastLoad') return []
    const section = type === 'leastPing' ? 'observatory' : 'burstObservatory'
    const message = `"${type}" needs the section "${section}", which says how outbounds are probed`
    return [fault(['balancers', index, 'strategy', 'type'], message)]
  })
  if (faults.length > 0) throw new ConfigError(faults)
}
