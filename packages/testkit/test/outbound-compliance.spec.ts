import { describe, it } from 'vitest'
import { brokenDialer, brokenOutbound, connectProxy, createCertificates, outboundCompliance } from '../src/index.js'
import { brokenOutboundSuite } from './broken-outbound-suite.js'

outboundCompliance({ describe, it, ...brokenOutboundSuite() })

const certificates = await createCertificates()

outboundCompliance({
  ...brokenOutboundSuite(),
  describe, it, name: 'without a fault, over TLS', sessions: 20,
  async setup({ scenario, policies }) {
    const proxy = await connectProxy({ behaviour: scenario, tls: await certificates.issue() })
    return {
      outbound: brokenOutbound({ proxyPort: proxy.port, policies }),
      dialer: brokenDialer({ ca: certificates.ca.certPem }),
      close: () => proxy.close(),
    }
  },
})
