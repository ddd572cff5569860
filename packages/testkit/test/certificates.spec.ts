import { X509Certificate } from 'node:crypto'
import { connect, createServer, type TLSSocket } from 'node:tls'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { describe, expect, it } from 'vitest'
import { createCertificates, type CertificateOptions } from '../src/index.js'

const certificates = await createCertificates()

/** The code of the fault with which a client refuses the certificate, or '' when it accepts. */
async function judge(options: CertificateOptions, servername = 'localhost'): Promise<string> {
  const { certPem, keyPem } = await certificates.issue(options)
  const server = createServer({ cert: certPem, key: keyPem }, (socket) => socket.on('error', () => {}).end()).on('tlsClientError', () => {})
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const client = connect({ port: (server.address() as AddressInfo).port, host: '127.0.0.1', servername, ca: certificates.ca.certPem })
  try {
    return await once(client, 'secureConnect').then(() => '', (error: NodeJS.ErrnoException) => error.code ?? error.message)
  } finally {
    client.destroy()
    server.close()
  }
}

describe('createCertificates()', () => {
  it('issues what a client that trusts the CA accepts', async () => {
    expect(await judge({})).toBe('')
  })

  it('covers the loopback addresses and localhost by default', async () => {
    const certificate = new X509Certificate((await certificates.issue()).certPem)
    expect(certificate.checkHost('localhost')).toBe('localhost')
    expect(certificate.checkIP('127.0.0.1')).toBe('127.0.0.1')
    expect(certificate.checkIP('::1')).toBeDefined()
    expect(certificate.publicKey.asymmetricKeyDetails?.namedCurve).toBe('prime256v1')
  })

  it.each([
    [{ validity: 'expired' }, 'CERT_HAS_EXPIRED'],
    [{ validity: 'future' }, 'CERT_NOT_YET_VALID'],
    [{ signer: 'self' }, 'DEPTH_ZERO_SELF_SIGNED_CERT'],
    [{ signer: 'missing-intermediate' }, 'UNABLE_TO_VERIFY_LEAF_SIGNATURE'],
    [{ names: ['other.test'] }, 'ERR_TLS_CERT_ALTNAME_INVALID'],
    [{ signer: 'intermediate' }, ''],
    [{ names: ['proxy.test'], commonName: 'anything' }, 'ERR_TLS_CERT_ALTNAME_INVALID'],
  ] as [CertificateOptions, string][])('issues %j, which a client answers with %j', async (options, fault) => {
    expect(await judge(options)).toBe(fault)
  })

  it('issues for other names', async () => {
    expect(await judge({ names: ['proxy.test'] }, 'proxy.test')).toBe('')
  })

  it('issues client certificates that a server accepts', async () => {
    const [forServer, forClient] = await Promise.all([certificates.issue(), certificates.issue({ usage: 'client', commonName: 'alice' })])
    const ca = certificates.ca.certPem
    const server = createServer({ cert: forServer.certPem, key: forServer.keyPem, ca, requestCert: true })
    await once(server.listen(0, '127.0.0.1'), 'listening')
    const { port } = server.address() as AddressInfo
    const client = connect({ port, host: '127.0.0.1', ca, cert: forClient.certPem, key: forClient.keyPem })
    const [accepted] = await once(server, 'secureConnection') as [TLSSocket]
    expect(accepted.authorized).toBe(true)
    expect(accepted.getPeerCertificate().subject.CN).toBe('alice')
    client.destroy()
    accepted.destroy()
    server.close()
  })
})
