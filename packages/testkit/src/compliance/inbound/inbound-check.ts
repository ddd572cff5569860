import type { Policy } from '@sluice/core'
import type { Check } from '../suite.js'
import type { InboundBench } from './inbound-bench.js'
import type { InboundComplianceOptions } from './inbound-compliance-options.js'

export type InboundCheck = Check<InboundBench> & {
  /** Limits that differ from the defaults. */
  readonly policy?: Partial<Policy>
  /** @default always */
  readonly applies?: (options: InboundComplianceOptions) => boolean
}
