import { isObject, objectsOf, type At, type Loose, type Rewriting } from './rewriting.js'

/** Settings of transports other than TCP; they stand there unused in many configs. */
const OTHER_TRANSPORTS = [
  'kcpSettings', 'wsSettings', 'httpSettings', 'quicSettings', 'dsSettings', 'grpcSettings', 'gunSettings', 'xhttpSettings',
  'splithttpSettings', 'httpupgradeSettings', 'hysteriaSettings', 'realitySettings', 'xtlsSettings', 'finalmask',
] as const

const NOT_HERE = 'there is no such option here'
const NO_DEVICE = 'Node cannot bind to a device; "sendThrough" picks a local address'
const NO_HELLO = 'Node cannot encrypt the hello'

/** What Node cannot do with a socket, or what is no option here, and why. */
const SOCKOPT: Readonly<Record<string, string>> = {
  mark: 'Node cannot mark packets',
  tcpFastOpen: 'Node cannot open fast',
  tcpFastOpenQueueLength: 'Node cannot open fast',
  tproxy: 'Node cannot proxy transparently',
  bindToDevice: NO_DEVICE,
  interface: NO_DEVICE,
  rxBufSize: 'Node cannot size the buffers of the kernel',
  txBufSize: 'Node cannot size the buffers of the kernel',
  forceBufSize: 'Node cannot size the buffers of the kernel',
  mptcp: 'Node cannot use several paths',
  tcpMptcp: 'Node cannot use several paths',
  tcpKeepAliveInterval: 'Node probes each second, ten times',
  tcpCongestion: 'Node cannot pick the congestion control',
  tcpWindowClamp: 'Node cannot clamp the window',
  tcpMaxSeg: 'Node cannot limit the segment size',
  tcpUserTimeout: 'Node cannot limit how long data stays unacknowledged',
  domainStrategy: NOT_HERE,
  happyEyeballs: 'both families are tried at once already',
  V6Only: NOT_HERE,
  customSockopt: NOT_HERE,
  addressPortStrategy: NOT_HERE,
  trustedXForwardedFor: NOT_HERE,
  penetrate: NOT_HERE,
}

const TLS: Readonly<Record<string, string>> = {
  fingerprint: 'Node cannot imitate the handshake of a browser',
  curvePreferences: 'the curves are those of Node',
  masterKeyLog: 'secrets of sessions are not written to files',
  echConfig: NO_HELLO,
  echDohServer: NO_HELLO,
  echConfigList: NO_HELLO,
  echServerKeys: NO_HELLO,
  echSockopt: NO_HELLO,
  echForceQuery: NO_HELLO,
}

/** Xray's ways to say which certificates are right. To leave one out would let others in. */
const XRAY_PINS: Readonly<Record<string, string>> = {
  pinnedPeerCertSha256: 'pin the chain with "pinnedPeerCertificateChainSha256"',
  verifyPeerCertByName: 'name the server with "serverName"',
}

const CERTIFICATE = ['ocspStapling', 'oneTimeLoading', 'buildChain'] as const

/** Values that ask for nothing. */
const NEUTRAL: ReadonlySet<unknown> = new Set([false, 0, '', 'off', 'none', 'AsIs'])

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
  // Where the network or its security is refused, what belongs to it goes without a word.
  const isServed = (network === 'tcp' || network === 'raw') && (security === 'none' || security === 'tls')
  for (const key of OTHER_TRANSPORTS) rewriting.ignore(stream, key, at, isServed ? 'the stream is TCP' : undefined)
  if (security === 'none') rewriting.ignore(stream, 'tlsSettings', at, '"security" is not "tls"')
  const { tlsSettings: tls } = stream
  if (isObject(tls)) rewriteTls(rewriting, tls, [...at, 'tlsSettings'])
  if (isObject(sockopt)) ignoreAll(rewriting, sockopt, SOCKOPT, [...at, 'sockopt'])
}

function rewriteTls(rewriting: Rewriting, tls: Loose, at: At): void {
  dropEmpty(tls, ['serverName', 'alpn', 'cipherSuites', 'minVersion', 'maxVersion'])
  ignoreAll(rewriting, tls, TLS, at)
  for (const [key, hint] of Object.entries(XRAY_PINS)) {
    if (!(key in tls)) continue
    if (!isUnset(tls[key])) rewriting.say([...at, key], 'is not served: it says which certificates are right', 'error', hint)
    delete tls[key]
  }
  for (const [index, certificate] of objectsOf(tls['certificates'])) {
    for (const key of CERTIFICATE) rewriting.ignore(certificate, key, [...at, 'certificates', index], NOT_HERE)
  }
}

function ignoreAll(rewriting: Rewriting, object: Loose, reasons: Readonly<Record<string, string>>, at: At): void {
  for (const [key, reason] of Object.entries(reasons)) rewriting.ignore(object, key, at, isUnset(object[key]) ? undefined : reason)
}

function isUnset(value: unknown): boolean {
  return NEUTRAL.has(value) || (Array.isArray(value) && value.length === 0)
}

/** Graphical clients write what is not set as an empty text or list. */
function dropEmpty(object: Loose, keys: readonly string[]): void {
  for (const key of keys) {
    const value = object[key]
    if (value === '' || (Array.isArray(value) && value.length === 0)) delete object[key]
  }
}
