import { sensitiveHeaders, type OutgoingHttpHeaders } from 'node:http2'
import type { ConnectRequest } from '../http1-connect.js'

/** Fields that speak of one HTTP/1.1 connection and must not go into an HTTP/2 request (RFC 9113 §8.2.2). */
const CONNECTION_SPECIFIC: ReadonlySet<string> = new Set([
  'connection', 'host', 'http2-settings', 'keep-alive', 'proxy-connection', 'te', 'transfer-encoding', 'upgrade',
])

/**
 * The fields of a CONNECT over HTTP/2 (RFC 9113 §8.5): `:method` and `:authority`, the credentials, and the configured fields. What
 * is configured may be a secret: no compression table ever holds it (RFC 7541 §7.1.3).
 */
export function connectFields({ authority, credentials, headers }: ConnectRequest): OutgoingHttpHeaders {
  const fields: OutgoingHttpHeaders & { [sensitiveHeaders]?: string[] } = { ':method': 'CONNECT', ':authority': authority }
  if (credentials !== undefined) fields['proxy-authorization'] = credentials.reveal()
  for (const [name, value] of headers) {
    const lower = name.toLowerCase()
    if (!CONNECTION_SPECIFIC.has(lower)) fields[lower] = value
  }
  fields[sensitiveHeaders] = Object.keys(fields).filter((name) => !name.startsWith(':'))
  return fields
}
