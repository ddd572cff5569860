import { isIPv6 } from 'node:net'
import { formatEndpoint, parseAuthority, printable, tcp, type Destination } from '@sluice/core'
import { RequestRefusal } from './request-refusal.js'

/** Where a plain request goes, and what it asks for there. */
export interface ForwardTarget {
  readonly target: Destination
  /** With query, starting with a slash, as the client wrote it; empty where it wrote none. */
  readonly path: string
  /** Value of `Host` for this target: the port is left out where it is the scheme's. */
  readonly host: string
}

const ABSOLUTE = /^([A-Za-z][A-Za-z0-9+.-]*):\/\/([^/?#]*)([^#]*)$/
// What no host holds (URL Standard, forbidden domain code points), and what is not visible ASCII.
const FORBIDDEN = /["#%/<>?@[\\\]^`{|}]|[^\x21-\x7e]/
const HTTP_PORT = 80

/**
 * Reads the target of a plain request to a proxy (RFC 9112 §3.2.2): absolute-form with scheme http. It rules over `Host`.
 *
 * @param hostField `Host` of a request in origin-form, where such are taken; `undefined`: they are not.
 * @throws {RequestRefusal} 400 or 501.
 */
export function forwardTarget(url: string, hostField: string | undefined): ForwardTarget {
  if (url.startsWith('/')) {
    if (hostField === undefined) {
      throw new RequestRefusal(400, 'TARGET', 'This is a proxy, and the request names no target', 'ask for http://host/path')
    }
    return { ...endpointOf(hostField), path: url }
  }
  const [, scheme, authority = '', rest = ''] = ABSOLUTE.exec(url) ?? []
  if (scheme === undefined) throw malformed(url)
  if (scheme.toLowerCase() !== 'http') {
    throw new RequestRefusal(501, 'UNSUPPORTED', `Scheme "${printable(scheme)}" is not served`, 'use CONNECT for https')
  }
  return { ...endpointOf(authority), path: rest.startsWith('?') ? `/${rest}` : rest }
}

function endpointOf(authority: string): Omit<ForwardTarget, 'path'> {
  const endpoint = parseAuthority(/:\d+$/.test(authority.replace(/^\[.*\]/, '')) ? authority : `${authority}:${HTTP_PORT}`)
  if (endpoint === undefined || !isHost(endpoint.host, authority.startsWith('['))) throw malformed(authority)
  const written = formatEndpoint(endpoint)
  return { target: tcp(endpoint.host, endpoint.port), host: endpoint.port === HTTP_PORT ? written.replace(/:80$/, '') : written }
}

/** Whether it can be sent on. A zone of an IPv6 address has no meaning beyond this machine. */
export function isHost(host: string, inBrackets: boolean): boolean {
  return inBrackets ? isIPv6(host) && !host.includes('%') : !FORBIDDEN.test(host)
}

function malformed(text: string): RequestRefusal {
  return new RequestRefusal(400, 'TARGET', `Cannot forward to "${printable(text)}"`, 'ask for http://host/path, without a user')
}
