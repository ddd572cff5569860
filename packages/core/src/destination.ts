import type { Destination, Endpoint } from './contracts/destination.js'

/** `host:port`, an IPv6 address in brackets. */
export function formatEndpoint({ host, port }: Endpoint): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
}

/** A TCP destination. */
export function tcp(host: string, port: number): Destination {
  return { network: 'tcp', host, port }
}

const AUTHORITY = /^(?:\[([^\]]*)\]|([^:[\]]*)):([0-9]{1,5})$/

/**
 * Reads the `host:port` of a CONNECT request (RFC 9110 §7.1: no user, no path; the port is decimal).
 *
 * It takes the text apart and no more: whether the host is a name that can be sent is for the outbound to say.
 * @returns `undefined` where it is not of that form, the host is empty, or the port is not within 1 to 65535.
 */
export function parseAuthority(text: string): Endpoint | undefined {
  const match = AUTHORITY.exec(text)
  if (match === null) return undefined
  const host = match[1] ?? match[2] ?? ''
  const port = Number(match[3])
  // A leading zero is read as octal by some and as decimal by others, so it is no port.
  if (host === '' || match[3]?.startsWith('0') === true || port > 65_535) return undefined
  return { host, port }
}
