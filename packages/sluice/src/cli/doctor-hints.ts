import { isProxyError, type ProxyErrorCode } from '@sluice/core'

/** What a failure was about, as far as a hint depends on it. */
export interface HintFacts {
  /** The port of the target. */
  readonly port: number
  /** Authentication schemes that the proxy offers. */
  readonly schemes?: readonly string[]
}

type Hint = string | ((error: { readonly status?: number }, facts: HintFacts) => string)

const HINTS: Readonly<Record<ProxyErrorCode, Hint>> = {
  TARGET: 'write the target as a URL with a host name or address, as https://example.com/',
  UNSUPPORTED: 'only TCP goes through a CONNECT proxy',
  BLOCKED: 'a rule of the config refuses it: see `sluice route test`',
  DNS: 'check the name; where only the company\'s name server knows it, check /etc/resolv.conf and the VPN',
  DIAL: 'check host and port of the proxy, that it runs, and that no firewall is between; a VPN may be needed',
  TLS: 'the port may speak plain HTTP: try http:// in place of https:// before the proxy',
  CERT: 'name the authority that signed it: NODE_EXTRA_CA_CERTS=FILE, or in a config tlsSettings.certificates with usage "verify"',
  ALPN: 'the proxy speaks neither HTTP/2 nor HTTP/1.1 there: check its port',
  TIMEOUT: 'a firewall may drop packets silently, or the proxy is overloaded; a config can wait longer (policy.levels.0.handshake)',
  CLOSED: 'the proxy hung up without an answer: it may want TLS (https://), or not let this machine in',
  REFUSED: 'the proxy is shutting down or overloaded: try again',
  PROTO: 'that port may be no HTTP proxy: check scheme and port',
  LIMIT: 'that port may be no HTTP proxy: check scheme and port',
  AUTH: (_error, { schemes = [] }) => authHint(schemes),
  STATUS: ({ status }, facts) => statusHint(status, facts),
  ABORT: 'the connection was cut: try again',
  INTERNAL: 'this is a bug of Sluice: please report it',
}

const NODE_HINTS: Readonly<Record<string, string>> = {
  ENOTFOUND: 'the name is unknown: check its spelling, /etc/resolv.conf and the VPN',
  EAI_AGAIN: 'the name server does not answer: check the network and /etc/resolv.conf',
  ECONNREFUSED: 'nothing listens there: check host and port',
  ETIMEDOUT: 'nothing answers: a firewall may drop packets silently, or a VPN is needed',
  EHOSTUNREACH: 'there is no way to that host: check the network and the VPN',
  ENETUNREACH: 'there is no way to that network: check the network and the VPN',
  ECONNRESET: 'the other side hung up: a firewall between may do that as well',
  ERR_SSL_WRONG_VERSION_NUMBER: 'the port speaks no TLS: try http:// in place of https://',
  ERR_TLS_CERT_ALTNAME_INVALID: 'the certificate is for another name: use the name that it is for',
  CERT_HAS_EXPIRED: 'the certificate has expired, unless the clock of this machine is wrong',
}

const CERTIFICATE = /SELF_SIGNED|UNABLE_TO_(?:GET|VERIFY)|CERT_/

/** What to do about a failure; `undefined` where nothing is known to help. */
export function hintFor(error: unknown, facts: HintFacts): string | undefined {
  if (isProxyError(error)) {
    const hint = HINTS[error.code]
    return typeof hint === 'string' ? hint : hint(error, facts)
  }
  const { code = '' } = error as NodeJS.ErrnoException
  return NODE_HINTS[code] ?? (CERTIFICATE.test(code) ? HINTS.CERT as string : undefined)
}

function authHint(schemes: readonly string[]): string {
  if (schemes.length === 0) return 'give user and password: -F http://user:env:NAME@host, --auth-file FILE or $SLUICE_AUTH'
  if (schemes.some((scheme) => /^(?:basic|digest)$/i.test(scheme))) {
    const ways = '-F http://user:env:NAME@host, --auth-file, $SLUICE_AUTH'
    return `the proxy wants ${schemes.join(' or ')}: give user and password (${ways}), or check them`
  }
  return `the proxy wants ${schemes.join(' or ')}, which needs a provider of credentials of your own`
}

function statusHint(status: number | undefined, { port }: HintFacts): string {
  if (status === 403 && port === 80) return 'many proxies refuse CONNECT to port 80: set plainHttp to "auto" or "forward" in the config'
  if (status === 403 && port !== 443) return `the proxy allows CONNECT to some ports only, seldom to ${port}: ask who runs it`
  if (status === 403 || status === 451) return 'the proxy does not let you reach that target: ask who runs it'
  if (status === 405 || status === 501) return 'this server is no CONNECT proxy: check host and port'
  if (status === 404 || status === 400) return 'this server may be a web server, not a proxy: check host and port'
  if (status === 429) return 'too many requests: wait, or use fewer connections'
  if (status === 502 || status === 503 || status === 504) return 'the proxy cannot reach the target: check its name and port'
  return 'ask who runs the proxy what the status means there'
}
