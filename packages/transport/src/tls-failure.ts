import { printable, ProxyError } from '@sluice/core'
import { systemErrorText } from './system-error-text.js'

interface TlsError extends NodeJS.ErrnoException {
  /** OpenSSL's words. */
  readonly reason?: string
  /** Of ERR_TLS_CERT_ALTNAME_INVALID. */
  readonly cert?: { readonly subjectaltname?: string }
}

const UNKNOWN_AUTHORITY = 'its authority is not known here, or the server does not send an intermediate certificate'
const TRUST_IT = 'add it to tlsSettings.certificates with usage "verify"'

/** What is wrong with a certificate, and what to do about it, by the code of the check. */
const CERTIFICATE_FAULTS: Readonly<Record<string, string>> = {
  DEPTH_ZERO_SELF_SIGNED_CERT: `it is self-signed; to trust it, ${TRUST_IT}`,
  SELF_SIGNED_CERT_IN_CHAIN: `its authority is not trusted here; to trust it, ${TRUST_IT}`,
  UNABLE_TO_GET_ISSUER_CERT: `${UNKNOWN_AUTHORITY}; to trust the authority, ${TRUST_IT}`,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: `${UNKNOWN_AUTHORITY}; to trust the authority, ${TRUST_IT}`,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: `${UNKNOWN_AUTHORITY}; to trust the authority, ${TRUST_IT}`,
  CERT_HAS_EXPIRED: 'it has expired; the server needs a new one, unless the clock of this machine is wrong',
  CERT_NOT_YET_VALID: 'it is not valid yet; check the clock of this machine',
}

const PLAIN_TEXT = new Set(['ERR_SSL_WRONG_VERSION_NUMBER', 'ERR_SSL_PACKET_LENGTH_TOO_LONG', 'ERR_SSL_HTTP_REQUEST'])

/**
 * Why a handshake with a server did not end well: CERT, ALPN, or TLS for anything else.
 * @param refused Whether it was us who refused the certificate.
 */
export function tlsFailure(error: TlsError, server: string, refused: boolean): ProxyError {
  const details = { phase: 'tls', server, cause: error } as const
  if (refused) return new ProxyError('CERT', `Cannot trust the certificate of ${server}: ${certificateFault(error)}`, details)
  if (error.code === 'ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL') {
    return new ProxyError('ALPN', `Cannot agree on a protocol with ${server}: it speaks none of those offered (tlsSettings.alpn)`, details)
  }
  const hint = error.code !== undefined && PLAIN_TEXT.has(error.code) ? '; does the server speak TLS on this port?' : ''
  return new ProxyError('TLS', `Cannot set up TLS with ${server}: ${reasonOf(error)}${hint}`, details)
}

function certificateFault(error: TlsError): string {
  if (error.code === 'ERR_TLS_CERT_ALTNAME_INVALID') {
    const names = printable(error.cert?.subjectaltname ?? '')
    return `it is for ${names === '' ? 'no name at all' : names}; to look for another name, set tlsSettings.serverName`
  }
  return CERTIFICATE_FAULTS[error.code ?? ''] ?? printable(error.message)
}

function reasonOf(error: TlsError): string {
  if (error.code === 'ECONNRESET') return 'the server closed the connection'
  return printable(error.reason ?? systemErrorText(error))
}
