import { tcp, type ClientLogins } from '@sluice/core'
import { formatSocks4Reply, rejectSocks4, SOCKS4_CONNECT, type Socks4Request } from './socks4-codec.js'
import type { SocksRequest } from './socks-request.js'
import { targetFault } from './target-fault.js'

/**
 * Judges a request of SOCKS4 or 4a, which is left without an answer.
 *
 * @param logins Who is let in. SOCKS4 has no password, so nobody is if there are any.
 * @throws {SocksRefusal} AUTH, UNSUPPORTED (a command other than CONNECT), TARGET. The answer is the caller's to send.
 */
export function judgeSocks4({ command, host, port }: Socks4Request, logins: ClientLogins | undefined): SocksRequest {
  if (logins !== undefined) throw rejectSocks4('AUTH', 'The client speaks SOCKS4, which has no password, and this inbound wants one')
  if (command !== SOCKS4_CONNECT) {
    throw rejectSocks4('UNSUPPORTED', `The client sent command ${command}, and only CONNECT (1) is served`)
  }
  const fault = targetFault(host, port)
  if (fault !== undefined) throw rejectSocks4('TARGET', `The client asked for ${fault}`)
  return { target: tcp(host, port), granted: formatSocks4Reply(true), refused: () => formatSocks4Reply(false) }
}
