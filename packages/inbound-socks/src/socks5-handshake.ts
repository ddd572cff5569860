import { answerTo, tcp, type ClientLogins, type Connection, type Destination } from '@sluice/core'
import { decode } from '@sluice/transport'
import { MessageDecoder } from './message-decoder.js'
import {
  COMMAND_CONNECT, formatAuthStatus, formatMethod, formatReply, METHOD_NO_AUTH, METHOD_NONE_ACCEPTABLE, METHOD_PASSWORD, parseCredentials,
  parseRequest, refuseRequest, REPLY_SUCCEEDED, type Socks5Request,
} from './socks5-codec.js'
import { SocksRefusal } from './socks-refusal.js'
import type { SocksRequest } from './socks-request.js'
import { targetFault } from './target-fault.js'

/**
 * Negotiates SOCKS5 up to the request, which is left without an answer. What the client sent behind it stays in the connection.
 *
 * @param offered The methods of authentication of the greeting, which has been read.
 * @param logins Who is let in; `undefined`: nobody is asked for a password.
 * @throws {SocksRefusal} PROTO, AUTH, UNSUPPORTED (a command other than CONNECT), TARGET. The answer is the caller's to send.
 * @throws {UnexpectedEnd} when the client leaves; `signal.reason` as it is.
 */
export async function acceptSocks5(
  connection: Connection, offered: readonly number[], logins: ClientLogins | undefined, signal: AbortSignal,
): Promise<SocksRequest> {
  const method = logins === undefined ? METHOD_NO_AUTH : METHOD_PASSWORD
  if (!offered.includes(method)) throw noMethod(offered, method)
  connection.write(formatMethod(method))
  const user = logins === undefined ? {} : { user: await authenticate(connection, logins, signal) }
  const target = targetOf(await decode(connection, new MessageDecoder(parseRequest), signal))
  return { target, ...user, granted: formatReply(REPLY_SUCCEEDED), refused }
}

async function authenticate(connection: Connection, logins: ClientLogins, signal: AbortSignal): Promise<string> {
  const { user, pass } = await decode(connection, new MessageDecoder(parseCredentials), signal)
  const result = logins.attempt(connection.remoteAddress, user, pass)
  if (result !== 'accepted') {
    const why = result === 'wrong' ? 'The client sent a wrong user or password' : 'Too many log-ins from its address were wrong'
    throw new SocksRefusal('AUTH', why, formatAuthStatus(false))
  }
  connection.write(formatAuthStatus(true))
  return user
}

function targetOf({ command, host, port }: Socks5Request): Destination {
  if (command !== COMMAND_CONNECT) {
    throw refuseRequest('UNSUPPORTED', `The client sent command ${command}, and only CONNECT (1) is served`)
  }
  const fault = targetFault(host, port)
  if (fault !== undefined) throw refuseRequest('TARGET', `The client asked for ${fault}`)
  return tcp(host, port)
}

function refused(error: unknown): Buffer {
  return formatReply(answerTo(error).socks)
}

function noMethod(offered: readonly number[], wanted: number): SocksRefusal {
  const wants = wanted === METHOD_PASSWORD ? 'user and password (2)' : 'no authentication (0)'
  const message = `The client offered methods [${offered.join(', ')}] and this inbound wants ${wants}`
  return new SocksRefusal('AUTH', message, formatMethod(METHOD_NONE_ACCEPTABLE))
}
