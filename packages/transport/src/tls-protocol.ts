import { createSecureContext, type SecureContextOptions, type SecureVersion } from 'node:tls'
import { fault, type Fault } from '@sluice/core'
import type { TlsSettings, TlsVersion } from './stream-settings.js'

const SECURE_VERSIONS: Record<TlsVersion, SecureVersion> = { '1.0': 'TLSv1', '1.1': 'TLSv1.1', '1.2': 'TLSv1.2', '1.3': 'TLSv1.3' }
// Settings name suites of TLS 1.2 and below only, as in Go; without these, Node would switch TLS 1.3 off.
const TLS_1_3_SUITES = 'TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256'

/** The versions and cipher suites of the settings, as Node names them. */
export function tlsProtocol(settings: TlsSettings, faults: Fault[]): SecureContextOptions {
  const { minVersion = '1.2', maxVersion = '1.3', cipherSuites } = settings
  if (minVersion > maxVersion) {
    faults.push(fault(['streamSettings', 'tlsSettings', 'minVersion'], `must not be above maxVersion, which is "${maxVersion}"`))
  }
  if (cipherSuites !== undefined && !areKnown(cipherSuites)) {
    faults.push(fault(['streamSettings', 'tlsSettings', 'cipherSuites'], 'names no cipher suite that OpenSSL knows'))
  }
  return {
    minVersion: SECURE_VERSIONS[minVersion],
    maxVersion: SECURE_VERSIONS[maxVersion],
    ...(cipherSuites === undefined ? {} : { ciphers: `${TLS_1_3_SUITES}:${cipherSuites}` }),
  }
}

function areKnown(cipherSuites: string): boolean {
  try {
    createSecureContext({ ciphers: cipherSuites })
    return true
  } catch {
    // ERR_SSL_NO_CIPHER_MATCH is all that can come of it, and the fault says so in our words.
    return false
  }
}

/** The protocols to agree on; `undefined`: the settings leave it open. */
export function alpnOf({ alpn }: TlsSettings): readonly string[] | undefined {
  return typeof alpn === 'string' ? alpn.split(',').map((name) => name.trim()).filter((name) => name !== '') : alpn
}
