import type { X509Certificate } from 'node:crypto'
import { createSecureContext, type SecureContext, type TlsOptions } from 'node:tls'
import { fault, printable, type Fault } from '@sluice/core'
import { readCertificates, type CertificateSet } from './read-certificates.js'
import type { TlsSettings } from './stream-settings.js'
import { alpnOf, tlsProtocol } from './tls-protocol.js'

const DEFAULT_ALPN = ['http/1.1']

/**
 * The options of a TLS server: the first certificate by default, and whichever is for the name that a client asks for.
 * @param alpn What to agree on where the settings name nothing.
 * @returns `undefined` where something was added to `faults`.
 */
export function tlsServerOptions(settings: TlsSettings, faults: Fault[], alpn: readonly string[] = DEFAULT_ALPN): TlsOptions | undefined {
  const found = faults.length
  const { certificates = [], verifyClientCertificate = false, rejectUnknownSni = false } = settings
  const set = readCertificates(certificates, faults)
  const protocol = tlsProtocol(settings, faults)
  checkPresence(settings, set, faults)
  const [first] = set.own
  if (faults.length > found || first === undefined) return undefined

  const clients = verifyClientCertificate ? { ca: [...set.clientAuthorities] } : {}
  const contexts = set.own.map(({ cert, key, leaf }) => ({ leaf, context: createSecureContext({ ...protocol, ...clients, cert, key }) }))
  return {
    ...protocol,
    ...clients,
    cert: first.cert,
    key: first.key,
    ALPNProtocols: [...(alpnOf(settings) ?? alpn)],
    requestCert: verifyClientCertificate,
    rejectUnauthorized: verifyClientCertificate,
    SNICallback: (name, done) => {
      const context = contextFor(name, contexts)
      if (context === undefined && rejectUnknownSni) done(new Error(`There is no certificate for "${printable(name)}"`))
      else done(null, context)
    },
  }
}

function checkPresence(settings: TlsSettings, set: CertificateSet, faults: Fault[]): void {
  const at = ['streamSettings', 'tlsSettings']
  const { certificates = [], verifyClientCertificate = false } = settings
  for (const [index, { usage }] of certificates.entries()) {
    if (usage !== 'issue') continue
    faults.push(fault([...at, 'certificates', index, 'usage'], 'cannot be "issue": certificates are not issued here'))
  }
  if (!certificates.some(({ usage = 'encipherment' }) => usage === 'encipherment')) {
    faults.push(fault([...at, 'certificates'], 'needs a certificate with its key', { hint: 'give certificateFile and keyFile' }))
  }
  if (verifyClientCertificate && set.clientAuthorities.length === 0 && !certificates.some(({ usage }) => usage === 'verifyclient')) {
    faults.push(fault([...at, 'verifyClientCertificate'], 'needs a certificate of usage "verifyclient": whose clients to let in'))
  }
}

interface NamedContext {
  readonly leaf: X509Certificate
  readonly context: SecureContext
}

function contextFor(name: string, contexts: readonly NamedContext[]): SecureContext | undefined {
  return contexts.find(({ leaf }) => leaf.checkHost(name) !== undefined)?.context
}
