import { describe, expect, it } from 'vitest'
import { createInstance, modules, type Config } from '../../src/index.js'

const PIN = Buffer.alloc(32).toString('base64')

/** What is said of the config when it is loaded, which the command prints. */
function remarksOf(tlsSettings: object): string[] {
  const servers = [{ address: 'proxy.test', port: 443 }]
  const outbound = { protocol: 'http', settings: { servers }, streamSettings: { security: 'tls', tlsSettings } }
  return createInstance({ outbounds: [outbound] } as Config, { modules }).remarks.map(({ path, severity, message }) => `${severity} ${path}: ${message}`)
}

describe('T6 an outbound over TLS', () => {
  it('that checks no certificate is warned of at the start', () => {
    expect(remarksOf({ allowInsecure: true }))
      .toEqual(['warning outbounds[0].streamSettings.tlsSettings.allowInsecure: lets anybody on the way read along: no certificate is checked'])
  })

  it('that checks one, or its hash, is not', () => {
    expect(remarksOf({})).toEqual([])
    expect(remarksOf({ allowInsecure: true, pinnedPeerCertificateChainSha256: [PIN] })).toEqual([])
  })
})
