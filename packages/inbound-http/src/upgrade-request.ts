import type { IncomingMessage } from 'node:http'
import { fieldsOf } from './hop-by-hop.js'

/**
 * The protocols to switch to that a request asks for, or nothing where it is to be served as if it did not ask (RFC 9110 §7.8: that
 * is always allowed): with content, whose framing nobody knows once the protocol is another; over HTTP/1.0; and for HTTP/2 in
 * clear, which is obsolete and would hide requests in a tunnel (RFC 9113 §3.1).
 */
export function upgradeOf({ headers, httpVersion }: IncomingMessage): string | undefined {
  const hasContent = headers['transfer-encoding'] !== undefined || (headers['content-length'] ?? '0') !== '0'
  if (hasContent || httpVersion === '1.0') return undefined
  const protocols = (headers.upgrade ?? '').split(',').map((protocol) => protocol.trim())
  return protocols.filter((protocol) => protocol !== '' && protocol.toLowerCase() !== 'h2c').join(', ') || undefined
}

/** The head of such a request without its wish, to be read again. */
export function withoutUpgrade({ method = '', url = '', httpVersion, rawHeaders }: IncomingMessage): Buffer {
  const fields = fieldsOf(rawHeaders).filter(([name]) => name.toLowerCase() !== 'upgrade')
  const lines = fields.map(([name, value]) => `${name}: ${value}\r\n`)
  return Buffer.from(`${method} ${url} HTTP/${httpVersion}\r\n${lines.join('')}\r\n`, 'latin1')
}
