import { parseAuthority, printable, tcp, type Destination } from '@sluice/core'
import { isHost } from './forward-target.js'
import { valuesOf, type RequestHead } from './request-head.js'
import { RequestRefusal } from './request-refusal.js'

/**
 * Where a CONNECT request wants to go (RFC 9110 §9.3.6). The Host field has no say in it, and may be missing, as it is with many
 * small clients.
 *
 * @throws {RequestRefusal} 400: not `host:port`, or a request with content, which CONNECT has not.
 */
export function connectTarget(head: RequestHead): Destination {
  if (hasContent(head)) throw new RequestRefusal(400, 'PROTO', 'The CONNECT request announces content, and CONNECT has none')
  const endpoint = parseAuthority(head.target)
  if (endpoint === undefined || !isHost(endpoint.host, head.target.startsWith('['))) {
    throw new RequestRefusal(400, 'TARGET', `Cannot connect to "${printable(head.target)}"`, 'ask for host:port, port 1 to 65535')
  }
  return tcp(endpoint.host, endpoint.port)
}

/** Where content would end is read in different ways by different readers, so all but "Content-Length: 0" counts as content. */
function hasContent(head: RequestHead): boolean {
  return valuesOf(head, 'transfer-encoding').length > 0 || valuesOf(head, 'content-length').some((value) => value !== '0')
}
