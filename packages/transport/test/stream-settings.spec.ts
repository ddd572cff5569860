import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as tls from 'node:tls'
import { afterAll, afterEach, describe, expect, it } from 'vitest'
import {
  createInstance, defineInbound, defineOutbound, isConfigError, type Config, type Inbound, type Outbound, type StreamSettings,
} from '@sluice/core'
import { createCertificates } from '@sluice/testkit'
import { defaultAuthorities } from '../src/default-authorities.js'
import { keepAliveIdleMs } from '../src/keep-alive.js'
import { streamSettingsSchema } from '../src/stream-settings-schema.js'
import type { TlsCertificateSettings, TlsSettings } from '../src/stream-settings.js'
import { tlsClientOptions } from '../src/tls-client-options.js'
import { transport } from '../src/transport-module.js'

declare module '@sluice/core' {
  interface InboundSettings { still: Record<never, never> }
  interface OutboundSettings { still: Record<never, never> }
}

const schema = { type: 'object', additionalProperties: false, properties: {} } as const
const modules = [
  transport,
  defineInbound({ protocol: 'still', schema, authenticates: () => true, create: () => ({}) as Inbound }),
  defineOutbound({ protocol: 'still', schema, create: () => ({}) as Outbound }),
]
const certificates = await createCertificates()
const { certPem, keyPem } = await certificates.issue()
const other = await certificates.issue()

const folder = mkdtempSync(join(tmpdir(), 'sluice-transport-'))
afterAll(() => { rmSync(folder, { recursive: true }) })

function file(name: string, text: string): string {
  const path = join(folder, name)
  writeFileSync(path, text)
  return path
}

/** `path: message` of every fault. */
function faultsOf(config: unknown): string[] {
  try {
    createInstance(config as Config, { modules })
  } catch (error) {
    if (isConfigError(error)) return error.faults.map(({ path, message }) => `${path}: ${message}`)
    throw error
  }
  return []
}

function outbound(streamSettings: unknown, others: object = {}): string[] {
  return faultsOf({ outbounds: [{ protocol: 'still', streamSettings, ...others }] }).map((text) => text.replace('outbounds[0].', ''))
}

function inbound(streamSettings: unknown, others: object = {}): string[] {
  return faultsOf({ inbounds: [{ protocol: 'still', port: 0, streamSettings, ...others }] }).map((text) => text.replace('inbounds[0].', ''))
}

function withCertificates(...list: TlsCertificateSettings[]): StreamSettings {
  return { security: 'tls', tlsSettings: { certificates: list } }
}

describe('streamSettings', () => {
  it('is taken with all that people have in theirs', () => {
    const all = {
      network: 'raw',
      security: 'none',
      tlsSettings: {
        serverName: 'proxy.test', alpn: 'h2,http/1.1', allowInsecure: false, disableSystemRoot: false, enableSessionResumption: true,
        certificates: [], pinnedPeerCertificateChainSha256: [Buffer.alloc(32).toString('base64')], minVersion: '1.2', maxVersion: '1.3',
        cipherSuites: 'TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256', fingerprint: 'chrome', curvePreferences: ['X25519'], echConfig: '',
      },
      tcpSettings: { header: { type: 'none' }, acceptProxyProtocol: false },
      sockopt: { mark: 255, tcpFastOpen: true, tproxy: 'off', tcpKeepAliveIdle: 30, tcpKeepAliveInterval: 10, tcpCongestion: 'bbr' },
    }
    expect(outbound(all)).toEqual([])
    expect(inbound(all)).toEqual([])
  })

  it.each([
    { settings: { network: 'ws' }, fault: 'streamSettings.network: must be one of "tcp", "raw", not "ws"' },
    { settings: { security: 'reality' }, fault: 'streamSettings.security: must be one of "none", "tls", not "reality"' },
    { settings: { tcpSettings: { header: { type: 'http' } } }, fault: 'streamSettings.tcpSettings.header.type: must be one of "none", not "http"' },
    { settings: { tlsSettings: { alpn: [] } }, fault: 'streamSettings.tlsSettings.alpn: must be a list of protocol names, or one text with commas between: those to agree on, most wanted first' },
    { settings: { tlsSettings: { minVersion: '2' } }, fault: 'streamSettings.tlsSettings.minVersion: must be one of "1.0", "1.1", "1.2", "1.3", not "2"' },
    { settings: { tlsSettings: { serverNam: 'x' } }, fault: 'streamSettings.tlsSettings.serverNam: unknown key' },
    { settings: { sockopt: { dialerProxy: 'other' } }, fault: 'streamSettings.sockopt.dialerProxy: unknown key' },
  ])('is refused with $fault', ({ settings, fault }) => {
    expect(outbound(settings)).toEqual([fault])
  })

  it('is described key by key', () => {
    const undescribed: string[] = []
    const walk = (node: Record<string, unknown>, path: string): void => {
      for (const [key, value] of Object.entries((node['properties'] ?? {}) as Record<string, Record<string, unknown>>)) {
        if (typeof value['description'] !== 'string') undescribed.push(`${path}.${key}`)
        walk(value, `${path}.${key}`)
        walk((value['items'] ?? {}) as Record<string, unknown>, `${path}.${key}[]`)
      }
    }
    walk(streamSettingsSchema as unknown as Record<string, unknown>, 'streamSettings')
    expect(undescribed).toEqual([])
  })

  it('is a compile error where it is wrong', () => {
    // @ts-expect-error There is no such protection.
    const wrong: StreamSettings = { security: 'ssl' }
    // @ts-expect-error There is no such key.
    const unknown: StreamSettings = { tlsSettings: { insecure: true } }
    expect([wrong, unknown]).toHaveLength(2)
  })
})

describe('the certificates of tlsSettings', () => {
  it('are read from files and from the config itself', () => {
    const certificateFile = file('cert.pem', certPem)
    const keyFile = file('key.pem', keyPem)
    expect(inbound(withCertificates({ certificateFile, keyFile }, { certificate: certPem.split('\n'), key: keyPem.split('\n') }))).toEqual([])
    expect(outbound(withCertificates({ usage: 'verify', certificateFile }))).toEqual([])
  })

  it('are refused with every fault at once, each with its path', () => {
    const missing = join(folder, 'missing.pem')
    const text = file('text.pem', 'no PEM at all')
    const keyFile = file('key.pem', keyPem)
    const certificateFile = file('cert.pem', certPem)
    const faults = outbound(withCertificates(
      { certificateFile: missing, keyFile: missing },
      { certificateFile: text, keyFile },
      { certificateFile, keyFile: text },
      { certificateFile, key: other.keyPem.split('\n') },
      { certificate: ['x'] },
      { usage: 'verify', certificateFile: text },
      { usage: 'verify', certificate: ['-----BEGIN CERTIFICATE-----', 'AAAA', '-----END CERTIFICATE-----'] },
      { usage: 'verify' },
    ), { sendThrough: 'eth0' })
    const at = 'streamSettings.tlsSettings.certificates'
    expect(faults).toEqual([
      'sendThrough: must be an IP address of this machine, not "eth0"',
      `${at}[0].certificateFile: cannot be read: ENOENT: no such file or directory, open '${missing}'`,
      `${at}[0].keyFile: cannot be read: ENOENT: no such file or directory, open '${missing}'`,
      `${at}[1].certificateFile: has no certificate in PEM form`,
      `${at}[2].keyFile: has no private key in PEM form, or an encrypted one`,
      `${at}[3].certificateFile: cannot be used with its key: key values mismatch`,
      `${at}[4].keyFile: missing`,
      `${at}[4].certificate: has no certificate in PEM form`,
      `${at}[5].certificateFile: has no certificate in PEM form, or a damaged one`,
      `${at}[6].certificate: has no certificate in PEM form, or a damaged one`,
      `${at}[7].certificateFile: missing`,
    ])
  })

  it('are not read where security is none', () => {
    expect(outbound({ tlsSettings: { certificates: [{ certificateFile: join(folder, 'missing.pem') }] } })).toEqual([])
  })

  it('never show a key in a fault', () => {
    const broken = keyPem.replace('PRIVATE KEY-----\n', 'PRIVATE KEY-----\n!').split('\n')
    const faults = outbound(withCertificates({ certificate: certPem.split('\n'), key: broken })).join()
    expect(faults).toContain('certificates[0].key: has no private key')
    expect(broken.filter((line) => line.length > 20 && !line.includes('PRIVATE') && faults.includes(line))).toEqual([])
  })

  it.each([
    { title: 'none', tlsSettings: {}, fault: 'certificates: needs a certificate with its key' },
    { title: 'only an authority', tlsSettings: { certificates: [{ usage: 'verify', certificate: certPem.split('\n') }] }, fault: 'certificates: needs a certificate with its key' },
    {
      title: 'one to issue others with',
      tlsSettings: { certificates: [{ certificate: certPem.split('\n'), key: keyPem.split('\n') }, { usage: 'issue', certificate: certPem.split('\n') }] },
      fault: 'certificates[1].usage: cannot be "issue": certificates are not issued here',
    },
    {
      title: 'no authority for clients',
      tlsSettings: { verifyClientCertificate: true, certificates: [{ certificate: certPem.split('\n'), key: keyPem.split('\n') }] },
      fault: 'verifyClientCertificate: needs a certificate of usage "verifyclient": whose clients to let in',
    },
  ])('are refused for a listener with $title', ({ tlsSettings, fault }) => {
    expect(inbound({ security: 'tls', tlsSettings })).toEqual([`streamSettings.tlsSettings.${fault}`])
  })

  it('are refused together with a bad address to listen on', () => {
    expect(inbound({ security: 'tls' }, { listen: 'example.com' })).toEqual([
      'listen: must be an IP address or "localhost", not "example.com"',
      'streamSettings.tlsSettings.certificates: needs a certificate with its key',
    ])
  })
})

describe('tlsSettings', () => {
  it.each([
    { tlsSettings: { minVersion: '1.3', maxVersion: '1.2' }, fault: 'minVersion: must not be above maxVersion, which is "1.2"' },
    { tlsSettings: { cipherSuites: 'ROT13' }, fault: 'cipherSuites: names no cipher suite that OpenSSL knows' },
  ])('are refused with $fault', ({ tlsSettings, fault }) => {
    expect(outbound({ security: 'tls', tlsSettings })).toEqual([`streamSettings.tlsSettings.${fault}`])
  })

  it.each<{ alpn: TlsSettings['alpn'], expected: string[] }>([
    { alpn: undefined, expected: ['h2', 'http/1.1'] },
    { alpn: 'http/1.1', expected: ['http/1.1'] },
    { alpn: 'h2, http/1.1,', expected: ['h2', 'http/1.1'] },
    { alpn: ['http/1.1', 'h2'], expected: ['http/1.1', 'h2'] },
  ])('offer $expected for alpn $alpn', ({ alpn, expected }) => {
    expect(tlsClientOptions(alpn === undefined ? {} : { alpn }, [])?.alpn).toEqual(expected)
  })
})

describe('keepAliveIdleMs()', () => {
  it.each([[undefined, 60_000], [0, 60_000], [30, 30_000], [-1, 0]])('is, for tcpKeepAliveIdle %s, %i', (tcpKeepAliveIdle, expected) => {
    expect(keepAliveIdleMs(tcpKeepAliveIdle === undefined ? {} : { sockopt: { tcpKeepAliveIdle } })).toBe(expected)
  })
})

describe('defaultAuthorities()', () => {
  const before = process.env['NODE_EXTRA_CA_CERTS']
  afterEach(() => {
    if (before === undefined) delete process.env['NODE_EXTRA_CA_CERTS']
    else process.env['NODE_EXTRA_CA_CERTS'] = before
  })

  it('are those of Node', () => {
    const known = new Set(defaultAuthorities())
    expect(tls.rootCertificates.filter((pem) => !known.has(pem))).toEqual([])
  })

  it.runIf(!('getCACertificates' in tls))('are, where Node does not tell them, also those of NODE_EXTRA_CA_CERTS', () => {
    process.env['NODE_EXTRA_CA_CERTS'] = file('extra.pem', certificates.ca.certPem)
    expect(defaultAuthorities()).toContain(certificates.ca.certPem)
    process.env['NODE_EXTRA_CA_CERTS'] = join(folder, 'missing.pem')
    expect(defaultAuthorities()).toHaveLength(tls.rootCertificates.length)
  })
})
