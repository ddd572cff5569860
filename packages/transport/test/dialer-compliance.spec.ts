import { describe, it } from 'vitest'
import { InstanceEvents, type Dialer, type OutboundHandler } from '@sluice/core'
import { createCertificates, dialerCompliance } from '@sluice/testkit'
import { TcpDialer } from '../src/tcp-dialer.js'
import { ThroughDialer } from '../src/through-dialer.js'
import { tlsClientOptions } from '../src/tls-client-options.js'
import { TlsDialer } from '../src/tls-dialer.js'

const certificates = await createCertificates()
const tls = { ...await certificates.issue(), alpn: ['h2', 'http/1.1'] }
const untrusted = await certificates.issue({ signer: 'self' })
const options = tlsClientOptions({ disableSystemRoot: true, certificates: [{ usage: 'verify', certificate: [certificates.ca.certPem] }] }, [])
if (options === undefined) throw new Error('The settings have faults')
const withTls = (under: Dialer): Dialer => new TlsDialer(under, options, new InstanceEvents())

const tcp = new TcpDialer()
const inner: OutboundHandler = {
  tag: 'inner',
  protocol: 'test',
  process: () => Promise.reject(new Error('not to be called')),
  connect: (ctx) => tcp.dial(ctx.target, { signal: ctx.signal }),
}
const through = new ThroughDialer(() => inner)

dialerCompliance({ name: 'TCP', describe, it, setup: async () => ({ dialer: tcp }) })
dialerCompliance({ name: 'TLS', describe, it, tls, untrusted, setup: async () => ({ dialer: withTls(tcp) }) })
dialerCompliance({ name: 'through another outbound', describe, it, setup: async () => ({ dialer: through }) })
dialerCompliance({ name: 'TLS through another outbound', describe, it, tls, untrusted, setup: async () => ({ dialer: withTls(through) }) })
