// Core comes first: it brings the metadata polyfill that @peculiar/x509 needs while it loads.
import '@sluice/core'
import { webcrypto } from 'node:crypto'
import type {} from './webcrypto.js'
import { PemConverter, SubjectAlternativeNameExtension, X509CertificateGenerator } from '@peculiar/x509'

/** A certificate with its key as `tlsSettings` take them: PEM, line by line. */
export interface DemoCertificate {
  readonly certificate: readonly string[]
  readonly key: readonly string[]
}

const CURVE = { name: 'ECDSA', namedCurve: 'P-256' }
const HOUR_MS = 3_600_000
const YEAR_MS = 365 * 24 * HOUR_MS

/** Makes a certificate for that name which signs itself, with a key that is never written anywhere. */
export async function createDemoCertificate(name: string): Promise<DemoCertificate> {
  const keys = await webcrypto.subtle.generateKey(CURVE, true, ['sign', 'verify']) as webcrypto.CryptoKeyPair
  const certificate = await X509CertificateGenerator.createSelfSigned({
    name: `CN=${name}`,
    keys,
    notBefore: new Date(Date.now() - HOUR_MS),
    notAfter: new Date(Date.now() + YEAR_MS),
    signingAlgorithm: { name: 'ECDSA', hash: 'SHA-256' },
    extensions: [new SubjectAlternativeNameExtension([{ type: 'dns', value: name }])],
  }, webcrypto as Crypto)
  const key = PemConverter.encode(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey), 'PRIVATE KEY')
  return { certificate: certificate.toString('pem').split('\n'), key: key.split('\n') }
}
