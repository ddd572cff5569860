import { describe, it } from 'vitest'
import { InstanceEvents } from '@sluice/core'
import { connectProxy, outboundCompliance } from '@sluice/testkit'
import { HttpOutbound } from '../src/index.js'
import { WIRES } from './harness.js'

for (const { over, dialer, upstream } of WIRES) {
  outboundCompliance({
    name: `http over ${over}`, describe, it, scenarios: ['glue', 'stall', 'refuse'], limitMs: 10_000,
    async setup({ scenario, policies }) {
      const proxy = await connectProxy({ behaviour: scenario, ...upstream })
      const outbound = new HttpOutbound({ servers: [{ address: proxy.host, port: proxy.port }] }, 'out', policies, new InstanceEvents())
      return { outbound, dialer, close: () => proxy.close() }
    },
  })
}
