import { describe, it } from 'vitest'
import { connectProxy, createCertificates, outboundCompliance } from '../src/index.js'
import { ReferenceDialer } from './reference/reference-dialer.js'
import { referenceOutbound } from './reference/reference-outbound-suite.js'
import { ReferenceOutbound } from './reference/reference-outbound.js'

outboundCompliance({ describe, it, ...referenceOutbound() })

const certificates = await createCertificates()

outboundCompliance({
  ...referenceOutbound(),
  describe, it, name: 'reference over TLS', sessions: 20,
  async setup({ scenario, policies }) {
    const proxy = await connectProxy({ behaviour: scenario, tls: await certificates.issue() })
    return {
      outbound: new ReferenceOutbound(proxy.port, policies),
      dialer: new ReferenceDialer({ ca: certificates.ca.certPem }),
      close: () => proxy.close(),
    }
  },
})
