import { testPolicies } from '../../test-context.js'
import { defineSuite } from '../suite.js'
import { endingChecks } from './ending-checks.js'
import { failureChecks } from './failure-checks.js'
import { leftoverChecks } from './leftover-checks.js'
import { loadChecks } from './load-checks.js'
import { OutboundBench } from './outbound-bench.js'
import type { OutboundCheck } from './outbound-check.js'
import type { OutboundComplianceOptions, OutboundScenario } from './outbound-compliance-options.js'
import { trafficChecks } from './traffic-checks.js'

/**
 * Defines the tests that every outbound passes: what it carries, how it ends, fails and is cancelled, and that nothing is left.
 *
 * The targets are real servers on loopback. The client is a real connection on the other side of a link.
 *
 * @example
 * ```ts
 * import { connectProxy, outboundCompliance, type OutboundSetup } from '@sluice/testkit'
 * import { describe, it } from 'vitest'
 *
 * declare const through: (port: number) => OutboundSetup
 * outboundCompliance({
 *   name: 'http', describe, it, scenarios: ['glue', 'stall', 'refuse'],
 *   async setup({ scenario }) {
 *     const proxy = await connectProxy({ behaviour: scenario })
 *     return { ...through(proxy.port), close: () => proxy.close() }
 *   },
 * })
 * ```
 */
export function outboundCompliance(options: OutboundComplianceOptions): void {
  const scenarios: readonly OutboundScenario[] = ['tunnel', ...options.scenarios ?? []]
  const checks = [...trafficChecks, ...endingChecks, ...failureChecks, ...loadChecks, ...leftoverChecks]
    .filter(({ scenario = 'tunnel', applies }) => scenarios.includes(scenario) && applies?.(options) !== false)
  defineSuite<OutboundBench, OutboundCheck>(options, `Outbound ${options.name}`, checks, async ({ scenario = 'tunnel', policy }) => {
    const policies = testPolicies({ handshakeMs: 5_000, ...policy })
    const setup = await options.setup({ scenario, policies, policy: policies.forLevel(0) })
    return OutboundBench.open(setup, options)
  })
}
