import { printable, ProxyError, type Connection, type HeaderList, type Secret } from '@sluice/core'
import { decode, UnexpectedEnd } from '@sluice/transport'
import { formatConnectRequest } from './connect-request.js'
import { refusalOf } from './refusal.js'
import { ResponseHeadDecoder, type ResponseHead } from './response-head.js'

const MAX_INTERIM_RESPONSES = 16

export interface ConnectRequest {
  /** `host:port` of the target, as `formatTarget` wrote it. */
  readonly authority: string
  /** Value of `Proxy-Authorization`. */
  readonly credentials?: Secret
  readonly headers: HeaderList
  /** `host:port` of the server, for errors. */
  readonly server: string
}

/**
 * Makes a fresh connection the tunnel to a target, by CONNECT over HTTP/1.1. No payload goes before the answer (RFC 9931); what
 * the server sent behind its answer is the tunnel's first bytes. Any 2xx opens it, whatever its framing fields say
 * (RFC 9110 §9.3.6, RFC 9112 §6.3); 1xx are skipped.
 *
 * @throws {ProxyError} AUTH, STATUS, PROTO, LIMIT, CLOSED, TLS. The connection is the caller's to abort.
 * @throws `signal.reason` as it is.
 */
export async function connectOverHttp1(connection: Connection, request: ConnectRequest, signal: AbortSignal): Promise<void> {
  connection.write(formatConnectRequest(request.authority, request.credentials, request.headers), 'latin1')
  const head = await readFinalHead(connection, request.server, signal)
  if (head.status < 200 || head.status > 299) throw refusalOf(head, request.server, request.credentials !== undefined)
}

async function readFinalHead(connection: Connection, server: string, signal: AbortSignal): Promise<ResponseHead> {
  try {
    for (let interim = 0; interim <= MAX_INTERIM_RESPONSES; interim++) {
      const head = await decode(connection, new ResponseHeadDecoder(server), signal)
      if (head.status >= 200 || head.status === 101) return head
    }
  } catch (error) {
    throw error instanceof UnexpectedEnd ? endError(error, server) : error
  }
  throw new ProxyError('LIMIT', `Server ${server} sent more than ${MAX_INTERIM_RESPONSES} interim answers`, { phase: 'connect', server })
}

function endError(error: UnexpectedEnd, server: string): ProxyError {
  const cause = error.cause as NodeJS.ErrnoException & { readonly reason?: string } | undefined
  // In TLS 1.3 the client is done before the server has looked at its certificate: an alert may still come (RFC 8446 §2).
  if (cause?.code?.startsWith('ERR_SSL_')) {
    const why = printable(cause.reason ?? cause.code)
    return new ProxyError('TLS', `Server ${server} broke TLS off after the handshake: ${why}`, { phase: 'tls', server, cause })
  }
  const how = cause === undefined ? 'ended the connection' : 'broke the connection off'
  return new ProxyError('CLOSED', `Server ${server} ${how} before it answered CONNECT`, { phase: 'connect', server, cause: error })
}
