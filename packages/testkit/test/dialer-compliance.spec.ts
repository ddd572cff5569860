import { describe, expect, it } from 'vitest'
import {
  brokenDialer, collectTests, createCertificates, DIALER_FAULTS, dialerCompliance, type DialerComplianceOptions, type DialerFault, type TestRunner,
} from '../src/index.js'

const certificates = await createCertificates()
const tls = { ...await certificates.issue(), alpn: ['h2', 'http/1.1'] }
const untrusted = await certificates.issue({ signer: 'self' })
const ca = certificates.ca.certPem

type Suite = Omit<DialerComplianceOptions, keyof TestRunner>

const tcpSuite = (fault?: DialerFault): Suite => ({
  name: 'broken TCP', setup: async () => ({ dialer: brokenDialer({ fault }) }),
})
const tlsSuite = (fault?: DialerFault): Suite => ({
  name: 'broken TLS', tls, untrusted, setup: async () => ({ dialer: brokenDialer({ ca, fault }) }),
})

dialerCompliance({ describe, it, ...tcpSuite() })
dialerCompliance({ describe, it, ...tlsSuite() })

const NOTICED: [DialerFault, over: 'TCP' | 'TLS', check: string, message: RegExp][] = [
  ['ignores the signal', 'TCP', 'aborted before', /dial\(\) resolved/],
  ['ignores the signal', 'TCP', 'aborted at once', /dial\(\) resolved/],
  ['ignores the signal', 'TLS', 'in the TLS handshake', /in vain for dial\(\) to settle/],
  ['holds on to the signal', 'TCP', 'a later abort does nothing', /listeners for 'abort' left on the signal/],
  ['loses an abort', 'TLS', 'in the TLS handshake', /in vain for the peer to lose its connection/],
  ['ends with its peer', 'TCP', 'written to after the end of the peer', /in vain for the bytes|write after end|EPIPE|ended/],
  ['no error listener', 'TCP', 'harms nobody', /no listener for 'error'/],
  ['raw errors', 'TCP', 'where nobody listens', /ECONNREFUSED.*which is no ProxyError/],
  ['raw errors', 'TCP', 'does not exist', /which is no ProxyError/],
  ['raw errors', 'TLS', 'not trusted', /which is no ProxyError/],
  ['resolves early', 'TCP', 'when bytes can be written', /connection.connecting/],
  ['offers nothing', 'TLS', 'agrees on the protocol', /alpnProtocol/],
  ['trusts everybody', 'TLS', 'not trusted', /dial\(\) resolved/],
  ['shares connections', 'TCP', 'of its own for each call', /connections/],
  ['leaks with time', 'TCP', 'after many dials', /nothing to be left: .*Timeout/],
]

/** Many sessions at once take longer on a busy machine than one. */
const limitOf = (fault: string): number => (fault === 'leaks with time' ? 2_000 : 600)

describe('dialerCompliance()', () => {
  it('is tried on every fault that there is', () => {
    expect(new Set(NOTICED.map(([fault]) => fault))).toEqual(new Set(DIALER_FAULTS))
  })

  it.each(NOTICED)('notices one with the fault "%s" over %s: %s', async (fault, over, check, message) => {
    const tests = collectTests((runner) => { dialerCompliance({ ...(over === 'TCP' ? tcpSuite : tlsSuite)(fault), ...runner, limitMs: limitOf(fault) }) })
    const [test, ...others] = tests.filter(({ title }) => title.includes(check))
    expect(others).toEqual([])
    await expect(test?.run()).rejects.toThrow(message)
  })
})
