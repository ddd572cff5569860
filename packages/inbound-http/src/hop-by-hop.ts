import type { HeaderList } from '@sluice/core'

// RFC 9110 §7.6.1, and what is addressed to a proxy.
const HOP_BY_HOP: ReadonlySet<string> = new Set([
  'connection', 'keep-alive', 'proxy-connection', 'proxy-authenticate', 'proxy-authorization', 'proxy-authentication-info',
  'te', 'trailer', 'transfer-encoding', 'upgrade',
])

/** The fields that go on to the next hop: none of this connection's own, nor any that `Connection` names. */
export function endToEnd(rawHeaders: readonly string[]): HeaderList {
  const fields = fieldsOf(rawHeaders)
  const named = fields.filter(([name]) => name.toLowerCase() === 'connection')
    .flatMap(([, value]) => value.split(',').map((token) => token.trim().toLowerCase()))
  const dropped = new Set([...HOP_BY_HOP, ...named])
  return fields.filter(([name]) => !dropped.has(name.toLowerCase()))
}

/** All values of a field, by its lower-case name. */
export function rawValues(rawHeaders: readonly string[], wanted: string): string[] {
  return fieldsOf(rawHeaders).filter(([name]) => name.toLowerCase() === wanted).map(([, value]) => value)
}

/** Node's flat list of names and values as pairs. */
export function fieldsOf(rawHeaders: readonly string[]): HeaderList {
  const fields: [string, string][] = []
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) fields.push([rawHeaders[at] ?? '', rawHeaders[at + 1] ?? ''])
  return fields
}
