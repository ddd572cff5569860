import type { Policy } from '@sluice/core'
import type { Check } from '../suite.js'
import type { OutboundBench } from './outbound-bench.js'
import type { OutboundComplianceOptions, OutboundScenario } from './outbound-compliance-options.js'

export type OutboundCheck = Check<OutboundBench> & {
  /** @default tunnel */
  readonly scenario?: OutboundScenario
  /** Limits that differ from the defaults. */
  readonly policy?: Partial<Policy>
  /** @default always */
  readonly applies?: (options: OutboundComplianceOptions) => boolean
}
