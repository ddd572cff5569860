import { defineFeature, POLICY_MANAGER } from '@sluice/core'
import { checkPolicy } from './check-policy.js'
import { LevelPolicyManager } from './level-policy-manager.js'
import { policySchema, type PolicySettings } from './policy-settings.js'

declare module '@sluice/core' {
  interface FeatureSections { policy: PolicySettings }
}

/** The section `policy`: timeouts and statistics switches by user level. */
export const policyFeature = defineFeature({
  section: 'policy',
  provides: POLICY_MANAGER,
  schema: policySchema,
  check: checkPolicy,
  useClass: LevelPolicyManager,
})
