import { createPrivateKey, X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createSecureContext } from 'node:tls'
import { fault, type Fault } from '@sluice/core'
import type { TlsCertificateSettings } from './stream-settings.js'

/** A certificate with its key, both PEM, that OpenSSL has accepted together. */
export interface OwnCertificate {
  readonly cert: string
  readonly key: string
  readonly leaf: X509Certificate
}

export interface CertificateSet {
  readonly own: readonly OwnCertificate[]
  /** Authorities that servers may be signed by. */
  readonly authorities: readonly string[]
  /** Authorities that clients may be signed by. */
  readonly clientAuthorities: readonly string[]
}

type At = readonly (string | number)[]

const CERTIFICATES: At = ['streamSettings', 'tlsSettings', 'certificates']
const BLOCK = /-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g

/**
 * Reads the files that the settings name, at once and for good. What is wrong with one is added to `faults`, and the others are
 * read all the same. No fault shows anything of a key.
 */
export function readCertificates(settings: readonly TlsCertificateSettings[], faults: Fault[]): CertificateSet {
  const own: OwnCertificate[] = []
  const authorities: string[] = []
  const clientAuthorities: string[] = []
  for (const [index, item] of settings.entries()) {
    const at = [...CERTIFICATES, index]
    switch (item.usage) {
      case 'verify': authorities.push(...readAuthorities(item, at, faults)); break
      case 'verifyclient': clientAuthorities.push(...readAuthorities(item, at, faults)); break
      case 'issue': break
      default: own.push(...readOwn(item, at, faults))
    }
  }
  return { own, authorities, clientAuthorities }
}

function readAuthorities(item: TlsCertificateSettings, at: At, faults: Fault[]): string[] {
  const part = readPart(item, ['certificateFile', 'certificate'], at, faults)
  if (part === undefined) return []
  const blocks = part.pem.match(BLOCK) ?? []
  if (blocks.length > 0 && blocks.every((block) => attempt(() => new X509Certificate(block)) !== undefined)) return blocks
  faults.push(fault(part.at, 'has no certificate in PEM form, or a damaged one'))
  return []
}

function readOwn(item: TlsCertificateSettings, at: At, faults: Fault[]): OwnCertificate[] {
  const certPart = readPart(item, ['certificateFile', 'certificate'], at, faults)
  const keyPart = readPart(item, ['keyFile', 'key'], at, faults)
  const leaf = certPart && attempt(() => new X509Certificate(certPart.pem))
  const privateKey = keyPart && attempt(() => createPrivateKey(keyPart.pem))
  if (certPart !== undefined && leaf === undefined) faults.push(fault(certPart.at, 'has no certificate in PEM form'))
  if (keyPart !== undefined && privateKey === undefined) {
    faults.push(fault(keyPart.at, 'has no private key in PEM form, or an encrypted one'))
  }
  if (certPart === undefined || keyPart === undefined || leaf === undefined || privateKey === undefined) return []
  const pair = { cert: certPart.pem, key: keyPart.pem }
  try {
    createSecureContext(pair)
  } catch (error) {
    faults.push(fault(certPart.at, `cannot be used with its key: ${(error as { reason?: string }).reason ?? 'OpenSSL refuses it'}`))
    return []
  }
  return [{ ...pair, leaf }]
}

interface Part {
  readonly pem: string
  readonly at: At
}

/** The text of a file, or else the lines in place. */
function readPart(
  item: TlsCertificateSettings,
  [fileKey, linesKey]: readonly ['certificateFile', 'certificate'] | readonly ['keyFile', 'key'],
  at: At,
  faults: Fault[],
): Part | undefined {
  const file = item[fileKey]
  const lines = item[linesKey]
  if (file === undefined) {
    if (lines !== undefined) return { pem: lines.join('\n'), at: [...at, linesKey] }
    faults.push(fault([...at, fileKey], 'missing'))
    return undefined
  }
  try {
    return { pem: readFileSync(file, 'utf8'), at: [...at, fileKey] }
  } catch (error) {
    faults.push(fault([...at, fileKey], `cannot be read: ${(error as Error).message}`))
    return undefined
  }
}

/** `undefined` where the text is not what it should be; OpenSSL's own words on that help nobody. */
function attempt<T>(make: () => T): T | undefined {
  try {
    return make()
  } catch {
    // The caller tells which part it was, and a message on a key is better not repeated.
    return undefined
  }
}
