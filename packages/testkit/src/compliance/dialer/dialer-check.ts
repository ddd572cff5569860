import type { Check } from '../suite.js'
import type { DialerBench } from './dialer-bench.js'
import type { DialerComplianceOptions } from './dialer-compliance-options.js'

export type DialerCheck = Check<DialerBench> & {
  /** @default always */
  readonly applies?: (options: DialerComplianceOptions) => boolean
}
