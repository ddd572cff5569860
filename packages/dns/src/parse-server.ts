import { isIP } from 'node:net'
import type { DnsServerSettings } from './dns-settings.js'
import { HttpsServer } from './https-server.js'
import type { NameServer } from './name-server.js'
import { SystemServer } from './system-server.js'
import { TcpServer } from './tcp-server.js'
import { UdpServer } from './udp-server.js'

const DNS_PORT = 53
const AUTHORITY = /^(?:\[([0-9A-Fa-f:.]+)\]|([^:[\]]+)|([0-9A-Fa-f:.]+))$/

/** How a server is spoken to, and where it is. */
export type ServerAddress =
  | { readonly kind: 'system' }
  | { readonly kind: 'udp' | 'tcp', readonly host: string, readonly port: number }
  | { readonly kind: 'https', readonly url: URL }

/**
 * Reads a server's address in v2ray's forms.
 * @returns what is wrong with it, as text that reads on after the address.
 */
export function parseServer({ address, port }: Pick<DnsServerSettings, 'address' | 'port'>): ServerAddress | string {
  const [, scheme = '', rest = ''] = /^(?:([a-z0-9+]+):\/\/)?(.*)$/i.exec(address) ?? []
  switch (scheme.toLowerCase()) {
    case '': return rest.toLowerCase() === 'localhost' ? { kind: 'system' } : plainServer('udp', rest, port)
    case 'udp': case 'udp+local': return plainServer('udp', rest, port)
    case 'tcp': case 'tcp+local': return plainServer('tcp', rest.replace(/\/$/, ''), port)
    case 'https': case 'https+local': return httpsServer(rest, port)
    default: return `has the unknown scheme "${scheme}://"; known are tcp, https and https+local`
  }
}

/** @param ca Trusted for DoH in place of Node's authorities, as PEM. */
export function makeServer(at: ServerAddress, ca?: string): NameServer {
  switch (at.kind) {
    case 'system': return new SystemServer()
    case 'udp': return new UdpServer(labelOf(at), at.host, at.port)
    case 'tcp': return new TcpServer(`tcp://${labelOf(at)}`, at.host, at.port)
    case 'https': return new HttpsServer(at.url, ca)
  }
}

function plainServer(kind: 'udp' | 'tcp', text: string, port: number | string = DNS_PORT): ServerAddress | string {
  const [, ownHost = text, ownPort] = isIP(text) === 0 ? /^(.*):(\d{1,5})$/.exec(text) ?? [] : []
  const match = AUTHORITY.exec(ownHost)
  const host = match?.[1] ?? match?.[2] ?? match?.[3] ?? ''
  const number = Number(ownPort ?? port)
  if (isIP(host) === 0) return 'must be an IP address, or its name would have to be resolved first'
  return number >= 1 && number <= 65_535 ? { kind, host, port: number } : 'has no port from 1 to 65535'
}

function httpsServer(rest: string, port: number | string | undefined): ServerAddress | string {
  const text = `https://${rest}`
  if (!URL.canParse(text)) return 'is no URL'
  const url = new URL(text)
  if (url.username !== '' || url.password !== '') return 'must not hold credentials'
  if (port !== undefined && url.port === '') url.port = String(port)
  return { kind: 'https', url }
}

function labelOf({ host, port }: { readonly host: string, readonly port: number }): string {
  return `${isIP(host) === 6 ? `[${host}]` : host}:${port}`
}
