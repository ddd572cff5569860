import { defineFeature, ROUTER } from '@sluice/core'
import { checkRouting } from './check-routing.js'
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
  check: checkRouting,
  useClass: RuleRouter,
})
