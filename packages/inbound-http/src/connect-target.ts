import { isIPv6 } from 'node:net'
import { parseAuthority, printable, tcp, type Destination } from '@sluice/core'
import { valuesOf, type RequestHead } from './request-head.js'
import { RequestRefusal } from './request-refusal.js'

// What no host holds (URL Standard, forbidden domain code points). The target is visible ASCII already.
const FORBIDDEN = /["#%/<>?@[\\\]^`{|}]/

/**
 * Where a CONNECT request wants to go (RFC 9110 §9.3.6). The Host field has no say in it, and may be missing, as it is with many
 * small clients.
 *
 * @throws {RequestRefusal} 400: not `host:port`, or a request with content, which CONNECT has not.
 */
export function connectTarget(head: RequestHead): Destination {
  if (hasContent(head)) throw new RequestRefusal(400, 'PROTO', 'The CONNECT request announces content, and CONNECT has none')
  const endpoint = parseAuthority(head.target)
  const isHost = endpoint !== undefined && (head.target.startsWith('[') ? isIPv6(endpoint.host) : !FORBIDDEN.test(endpoint.host))
  if (!isHost) {
    throw new RequestRefusal(400, 'TARGET', `Cannot connect to "${printable(head.target)}"`, 'ask for host:port, port 1 to 65535')
  }
  return tcp(endpoint.host, endpoint.port)
}

/** Where content would end is read in different ways by different readers, so all but "Content-Length: 0" counts as content. */
function hasContent(head: RequestHead): boolean {
  return valuesOf(head, 'transfer-encoding').length > 0 || valuesOf(head, 'content-length').some((value) => value !== '0')
}
