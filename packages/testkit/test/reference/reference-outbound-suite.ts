import { connectProxy, type OutboundComplianceOptions, type TestRunner } from '../../src/index.js'
import { ReferenceDialer } from './reference-dialer.js'
import { ReferenceOutbound, type OutboundFault } from './reference-outbound.js'

/** What the suite needs to test the reference outbound. */
export function referenceOutbound(fault?: OutboundFault): Omit<OutboundComplianceOptions, keyof TestRunner> {
  return {
    name: 'reference',
    scenarios: ['glue', 'stall', 'refuse'],
    async setup({ scenario, policies }) {
      const proxy = await connectProxy({ behaviour: scenario })
      return { outbound: new ReferenceOutbound(proxy.port, policies, fault), dialer: new ReferenceDialer(), close: () => proxy.close() }
    },
  }
}
