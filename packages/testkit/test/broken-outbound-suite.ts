import { brokenDialer, brokenOutbound, connectProxy, type OutboundComplianceOptions, type OutboundFault, type TestRunner } from '../src/index.js'

const PASSWORD = 'open-sesame'

/** What the suite needs to test the outbound with that fault, or the one without any. */
export function brokenOutboundSuite(fault?: OutboundFault): Omit<OutboundComplianceOptions, keyof TestRunner> {
  return {
    name: fault ?? 'without a fault',
    scenarios: ['glue', 'stall', 'refuse'],
    secrets: [PASSWORD],
    async setup({ scenario, policies }) {
      const proxy = await connectProxy({ behaviour: scenario })
      const outbound = brokenOutbound({ proxyPort: proxy.port, policies, fault, password: PASSWORD })
      return { outbound, dialer: brokenDialer(), close: () => proxy.close() }
    },
  }
}
