import { isObject, objectsOf, type At, type Loose, type Rewriting } from './rewriting.js'

/** Settings of transports other than TCP; they stand there unused in many configs. */
const OTHER_TRANSPORTS = [
  'kcpSettings', 'wsSettings', 'httpSettings', 'quicSettings', 'dsSettings', 'grpcSettings', 'gunSettings', 'xhttpSettings',
  'splithttpSettings', 'httpupgradeSettings', 'hysteriaSettings', 'realitySettings', 'xtlsSettings', 'finalmask',
] as const

const SOCKOPT = [
  'domainStrategy', 'happyEyeballs', 'V6Only', 'customSockopt', 'addressPortStrategy', 'trustedXForwardedFor', 'penetrate',
] as const
const TLS = ['echServerKeys', 'echSockopt', 'echForceQuery'] as const
const CERTIFICATE = ['ocspStapling', 'oneTimeLoading', 'buildChain'] as const

const NOT_HERE = 'there is no such option here'

/** Brings `streamSettings` to the canonical form. What cannot be done and changes who may read the stream stays for the check. */
export function rewriteStream(rewriting: Rewriting, handler: Loose, at: At): void {
  const { streamSettings: stream } = handler
  if (!isObject(stream)) return
  rewriting.rename(stream, 'method', 'network', at)
  rewriting.rename(stream, 'rawSettings', 'tcpSettings', at)
  dropEmpty(stream, ['network', 'security'])
  for (const key of ['network', 'security']) {
    const value = stream[key]
    if (typeof value === 'string' && value !== value.toLowerCase()) rewriting.draft.replace(stream, key, value.toLowerCase())
  }
  const { network = 'tcp', security = 'none', sockopt } = stream
  if (network === 'tcp' || network === 'raw') {
    for (const key of OTHER_TRANSPORTS) rewriting.ignore(stream, key, at, 'the stream is TCP')
  }
  if (security === 'none') rewriting.ignore(stream, 'tlsSettings', at, '"security" is not "tls"')
  const { tlsSettings: tls } = stream
  if (isObject(tls)) rewriteTls(rewriting, tls, [...at, 'tlsSettings'])
  if (isObject(sockopt)) for (const key of SOCKOPT) rewriting.ignore(sockopt, key, [...at, 'sockopt'], NOT_HERE)
}

function rewriteTls(rewriting: Rewriting, tls: Loose, at: At): void {
  dropEmpty(tls, ['serverName', 'alpn', 'cipherSuites', 'minVersion', 'maxVersion'])
  for (const key of TLS) rewriting.ignore(tls, key, at, 'Node cannot encrypt the hello')
  for (const [index, certificate] of objectsOf(tls['certificates'])) {
    for (const key of CERTIFICATE) rewriting.ignore(certificate, key, [...at, 'certificates', index], NOT_HERE)
  }
}

/** Graphical clients write what is not set as an empty text or list. */
function dropEmpty(object: Loose, keys: readonly string[]): void {
  for (const key of keys) {
    const value = object[key]
    if (value === '' || (Array.isArray(value) && value.length === 0)) delete object[key]
  }
}
