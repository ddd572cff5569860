import { createInstance, DIALER_FACTORY } from '@sluice/core'
import { outboundCompliance } from '@sluice/testkit'
import { transport } from '@sluice/transport'
import { describe, it } from 'vitest'
import { Socks4aOutbound } from '../src/index.js'
import { socks4aServer } from './socks4a-server.js'

/** A dialer as a handler with no stream settings has it. */
const dialer = createInstance({}, { modules: [transport] }).get(DIALER_FACTORY).create({ tag: '', stream: {} })

outboundCompliance({
  name: 'socks4a', describe, it, scenarios: ['glue', 'stall', 'refuse'],
  async setup({ scenario, policies }) {
    const server = await socks4aServer(scenario)
    const outbound = new Socks4aOutbound({ servers: [{ address: '127.0.0.1', port: server.port }] }, policies)
    return { outbound, dialer, close: () => server.close() }
  },
})
