import { isIPv4, isIPv6 } from 'node:net'
import { domainToASCII } from 'node:url'
import { formatEndpoint, printable, ProxyError, type Destination } from '@sluice/core'

const SENDABLE_NAME = /^[A-Za-z0-9._-]{1,255}$/
// What a name with other letters may hold besides them. Checked before IDNA, which launders: it drops line breaks.
const INTERNATIONAL_NAME = /^[A-Za-z0-9._\-\u0080-\u{10ffff}]{1,255}$/u

/**
 * Writes a target as the request-target of CONNECT (RFC 9112 §3.2.3): `host:port`, an IPv6 address in brackets, a name with other
 * than ASCII letters in its IDNA form. Upper case is kept.
 *
 * Nothing but what is checked here reaches a request line, and no upstream is trusted to refuse the rest.
 *
 * @throws {ProxyError} TARGET for a host or port that cannot be sent, UNSUPPORTED for UDP.
 */
export function formatTarget(target: Destination): string {
  if (target.network === 'udp') throw new ProxyError('UNSUPPORTED', 'Cannot carry UDP through an HTTP proxy', { side: 'downstream' })
  const { port } = target
  if (!Number.isInteger(port) || port < 1 || port > 65_535) throw refused(`port ${port}`, 'must be from 1 to 65535')
  return formatEndpoint({ host: sendableHost(target.host), port })
}

/** The host as it may be sent: an IP literal, or a name in ASCII. @throws {ProxyError} TARGET */
function sendableHost(host: string): string {
  if (isIPv4(host) || SENDABLE_NAME.test(host)) return host
  // A zone (fe80::1%eth0) means nothing outside of this host.
  if (isIPv6(host) && !host.includes('%')) return host
  if (!INTERNATIONAL_NAME.test(host)) throw refused(`host "${printable(host)}"`, 'is neither a domain name nor an IP address')
  const ascii = domainToASCII(host)
  if (!SENDABLE_NAME.test(ascii) || isIPv4(ascii)) throw refused(`host "${printable(host)}"`, 'is no domain name')
  return ascii
}

function refused(what: string, why: string): ProxyError {
  return new ProxyError('TARGET', `Cannot ask for target ${what}: ${why}`, { side: 'downstream' })
}

/** Whether a server's address can be dialled: a name or an IP literal, and no URL. */
export function isHost(text: string): boolean {
  return isIPv4(text) || isIPv6(text) || SENDABLE_NAME.test(text)
}
