// Core comes first: it brings the metadata polyfill that @peculiar/x509 needs while it loads.
import '@sluice/core'
import { webcrypto } from 'node:crypto'
import { isIP } from 'node:net'
import type {} from './webcrypto.js'
import {
  BasicConstraintsExtension, ExtendedKeyUsage, ExtendedKeyUsageExtension, KeyUsageFlags, KeyUsagesExtension, PemConverter,
  SubjectAlternativeNameExtension, X509CertificateGenerator, type Extension, type X509CertificateCreateParamsBase,
} from '@peculiar/x509'

/** A certificate with its key, both as PEM, fit for `tls.createSecureContext({ cert, key })`. */
export interface IssuedCertificate {
  /** The certificate, followed by the intermediate one where there is one. */
  readonly certPem: string
  /** PKCS #8, not encrypted. */
  readonly keyPem: string
}

export interface CertificateOptions {
  /** What the certificate is for: DNS names and IP literals. @default localhost, 127.0.0.1 and ::1; a client's has none */
  readonly names?: readonly string[]
  /** @default the first name */
  readonly commonName?: string
  /** `expired` ended yesterday, `future` begins tomorrow. @default now */
  readonly validity?: 'now' | 'expired' | 'future'
  /** Who signs it. `missing-intermediate`: an intermediate does, and is left out of `certPem`. @default ca */
  readonly signer?: 'ca' | 'self' | 'intermediate' | 'missing-intermediate'
  /** @default server */
  readonly usage?: 'server' | 'client'
}

/** A certificate authority that exists for one test run, and whatever it is asked to issue. Nothing is written to disk. */
export interface Certificates {
  /** What a client trusts: `tls.connect({ ca: certificates.ca.certPem })`. */
  readonly ca: { readonly certPem: string }
  issue(options?: CertificateOptions): Promise<IssuedCertificate>
}

const CURVE = { name: 'ECDSA', namedCurve: 'P-256' }
const SIGNATURE = { name: 'ECDSA', hash: 'SHA-256' }
const DAY_MS = 86_400_000
const LOOPBACK_NAMES = ['localhost', '127.0.0.1', '::1']

interface Issuer {
  readonly name: string
  readonly keys: webcrypto.CryptoKeyPair
  readonly certPem: string
}

/**
 * Makes a certificate authority and issues certificates with ECDSA P-256, valid from yesterday for a month.
 *
 * @example
 * ```ts
 * import { createCertificates } from '@sluice/testkit'
 *
 * const certificates = await createCertificates()
 * const { certPem, keyPem } = await certificates.issue({ names: ['proxy.test'], validity: 'expired' })
 * ```
 */
export async function createCertificates(): Promise<Certificates> {
  const ca = await createAuthority('Sluice test CA')
  let intermediate: Promise<Issuer> | undefined
  return {
    ca: { certPem: ca.certPem },
    async issue(options = {}) {
      const { signer = 'ca' } = options
      if (signer === 'ca') return issueBy(ca, options)
      if (signer === 'self') return issueBy(undefined, options)
      const issuer = await (intermediate ??= createAuthority('Sluice test intermediate', ca))
      const { certPem, keyPem } = await issueBy(issuer, options)
      return { certPem: signer === 'intermediate' ? `${certPem}\n${issuer.certPem}` : certPem, keyPem }
    },
  }
}

async function createAuthority(commonName: string, parent?: Issuer): Promise<Issuer> {
  const keys = await createKeys()
  const name = `CN=${commonName}`
  const extensions = [
    new BasicConstraintsExtension(true, undefined, true),
    new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
  ]
  const certPem = await sign({ name, keys, parent, extensions, validity: 'now' })
  return { name, keys, certPem }
}

async function issueBy(parent: Issuer | undefined, options: CertificateOptions): Promise<IssuedCertificate> {
  const { usage = 'server', validity = 'now' } = options
  const names = options.names ?? (usage === 'server' ? LOOPBACK_NAMES : [])
  const keys = await createKeys()
  const extensions: Extension[] = [
    new BasicConstraintsExtension(false, undefined, true),
    new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
    new ExtendedKeyUsageExtension([usage === 'server' ? ExtendedKeyUsage.serverAuth : ExtendedKeyUsage.clientAuth]),
  ]
  if (names.length > 0) {
    const typed = names.map((value) => ({ type: isIP(value) === 0 ? 'dns' as const : 'ip' as const, value }))
    extensions.push(new SubjectAlternativeNameExtension(typed))
  }
  const name = `CN=${options.commonName ?? names[0] ?? usage}`
  const certPem = await sign({ name, keys, parent, extensions, validity })
  const keyPem = PemConverter.encode(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey), 'PRIVATE KEY')
  return { certPem, keyPem }
}

interface SigningRequest {
  readonly name: string
  readonly keys: webcrypto.CryptoKeyPair
  /** Absent: it signs itself. */
  readonly parent: Issuer | undefined
  readonly extensions: Extension[]
  readonly validity: 'now' | 'expired' | 'future'
}

async function sign({ name, keys, parent, extensions, validity }: SigningRequest): Promise<string> {
  const [fromDays, toDays] = { now: [-1, 30], expired: [-30, -1], future: [1, 30] }[validity] as [number, number]
  const terms: X509CertificateCreateParamsBase = {
    notBefore: new Date(Date.now() + fromDays * DAY_MS),
    notAfter: new Date(Date.now() + toDays * DAY_MS),
    signingAlgorithm: SIGNATURE,
    extensions,
  }
  const certificate = await X509CertificateGenerator.create(
    { ...terms, subject: name, issuer: parent?.name ?? name, publicKey: keys.publicKey, signingKey: (parent?.keys ?? keys).privateKey },
    webcrypto as Crypto,
  )
  return certificate.toString('pem')
}

function createKeys(): Promise<webcrypto.CryptoKeyPair> {
  return webcrypto.subtle.generateKey(CURVE, true, ['sign', 'verify']) as Promise<webcrypto.CryptoKeyPair>
}
