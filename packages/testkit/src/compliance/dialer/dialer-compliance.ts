import { defineSuite } from '../suite.js'
import { connectionChecks } from './connection-checks.js'
import { DialerBench } from './dialer-bench.js'
import type { DialerCheck } from './dialer-check.js'
import type { DialerComplianceOptions } from './dialer-compliance-options.js'
import { failureChecks } from './failure-checks.js'
import { signalChecks } from './signal-checks.js'

/**
 * Defines the tests that every dialer passes: what a connection is fit for when it is handed over, what the signal does, and how
 * a dial fails.
 *
 * @example
 * ```ts
 * import type { Dialer } from '@sluice/core'
 * import { dialerCompliance } from '@sluice/testkit'
 * import { describe, it } from 'vitest'
 *
 * declare const createDialer: () => Dialer
 * dialerCompliance({ name: 'TCP', describe, it, setup: async () => ({ dialer: createDialer() }) })
 * ```
 */
export function dialerCompliance(options: DialerComplianceOptions): void {
  const checks = [...connectionChecks, ...signalChecks, ...failureChecks].filter(({ applies }) => applies?.(options) !== false)
  defineSuite<DialerBench, DialerCheck>(
    options, `Dialer ${options.name}`, checks, async () => new DialerBench(await options.setup(), options),
  )
}
