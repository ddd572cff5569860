import { testPolicies } from '../../test-context.js'
import { defineSuite } from '../suite.js'
import { answerChecks } from './answer-checks.js'
import { faultChecks } from './fault-checks.js'
import { InboundBench } from './inbound-bench.js'
import type { InboundCheck } from './inbound-check.js'
import type { InboundComplianceOptions } from './inbound-compliance-options.js'
import { loadChecks } from './load-checks.js'
import { requestChecks } from './request-checks.js'

/**
 * Defines the tests that every inbound passes: what it dispatches, when and how it answers, and that no client can harm it.
 *
 * The client is a real connection; the sessions are the suite's own.
 *
 * @example
 * ```ts
 * import type { Inbound, PolicyManager } from '@sluice/core'
 * import { inboundCompliance, type InboundSetup } from '@sluice/testkit'
 * import { describe, it } from 'vitest'
 *
 * declare const createInbound: (policies: PolicyManager) => Inbound
 * declare const client: Omit<InboundSetup, 'inbound'> // Speaks the protocol: `request`, `parseAnswer`, …
 * inboundCompliance({
 *   name: 'http', describe, it, setup: async ({ policies }) => ({ ...client, inbound: createInbound(policies) }),
 * })
 * ```
 */
export function inboundCompliance(options: InboundComplianceOptions): void {
  const checks = [...requestChecks, ...answerChecks, ...faultChecks, ...loadChecks].filter(({ applies }) => applies?.(options) !== false)
  defineSuite<InboundBench, InboundCheck>(options, `Inbound ${options.name}`, checks, async ({ policy }) => {
    const policies = testPolicies({ handshakeMs: 5_000, ...policy })
    return new InboundBench(await options.setup({ policies, policy: policies.forLevel(0) }), options)
  })
}
