import type { HeaderList, Secret } from '@sluice/core'

const PROXY_CONNECTION = 'Proxy-Connection'

/**
 * The head of a CONNECT request (RFC 9112 §3.2.3). There is no content and so no framing field.
 *
 * @param authority As `formatTarget` wrote it.
 * @param credentials Value of `Proxy-Authorization`.
 * @param headers Checked by `checkSettings`.
 */
export function formatConnectRequest(authority: string, credentials: Secret | undefined, headers: HeaderList): string {
  const lines = [`CONNECT ${authority} HTTP/1.1`, `Host: ${authority}`]
  if (credentials !== undefined) lines.push(`Proxy-Authorization: ${credentials.reveal()}`)
  // No standard field, but proxies of the HTTP/1.0 kind close without it (RFC 9112 appendix C.2.2).
  if (!headers.some(([name]) => name.toLowerCase() === PROXY_CONNECTION.toLowerCase())) lines.push(`${PROXY_CONNECTION}: Keep-Alive`)
  for (const [name, value] of headers) lines.push(`${name}: ${value}`)
  return `${lines.join('\r\n')}\r\n\r\n`
}
