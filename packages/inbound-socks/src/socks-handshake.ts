import type { ClientLogins, Connection } from '@sluice/core'
import { decode } from '@sluice/transport'
import { MessageDecoder, type Parse } from './message-decoder.js'
import { parseSocks4Request, SOCKS4_VERSION, type Socks4Request } from './socks4-codec.js'
import { judgeSocks4 } from './socks4-handshake.js'
import { parseGreeting } from './socks5-codec.js'
import { acceptSocks5 } from './socks5-handshake.js'
import type { SocksRequest } from './socks-request.js'

/** The first message of a client: the whole request of SOCKS4, or the methods of authentication that one of SOCKS5 offers. */
type Opening = { readonly socks4: Socks4Request } | { readonly methods: readonly number[] }

/** @throws {SocksRefusal} As the parser of the version does; PROTO for any other version. */
export const parseOpening: Parse<Opening> = (bytes) => {
  if (bytes[0] === SOCKS4_VERSION) {
    const request = parseSocks4Request(bytes)
    return request && { value: { socks4: request.value }, length: request.length }
  }
  const greeting = parseGreeting(bytes)
  return greeting && { value: { methods: greeting.value }, length: greeting.length }
}

/**
 * Reads what a client asks for, in the version of SOCKS that it speaks, and leaves the request without an answer. What the client sent
 * behind it stays in the connection.
 *
 * @param logins Who is let in; `undefined`: nobody is asked for a password.
 * @throws {SocksRefusal} PROTO, AUTH, UNSUPPORTED (a command other than CONNECT), TARGET. The answer is the caller's to send.
 * @throws {UnexpectedEnd} when the client leaves; `signal.reason` as it is.
 */
export async function acceptSocks(connection: Connection, logins: ClientLogins | undefined, signal: AbortSignal): Promise<SocksRequest> {
  const opening = await decode(connection, new MessageDecoder(parseOpening), signal)
  if ('socks4' in opening) return judgeSocks4(opening.socks4, logins)
  return await acceptSocks5(connection, opening.methods, logins, signal)
}
