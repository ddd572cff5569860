import type { HeaderList } from '@sluice/core'

// RFC 9110 §7.6.1, and what is addressed to a proxy. Content-Length is end-to-end, but says how this hop is framed.
const HOP_BY_HOP: ReadonlySet<string> = new Set([
  'connection', 'keep-alive', 'proxy-connection', 'proxy-authenticate', 'proxy-authorization', 'proxy-authentication-info',
  'te', 'trailer', 'transfer-encoding', 'upgrade', 'content-length',
])

/** The fields that go on to the next hop: none of this connection's own or of its framing, nor any that `Connection` names. */
export function endToEnd(rawHeaders: readonly string[]): HeaderList {
  const fields = fieldsOf(rawHeaders)
  const named = fields.filter(([name]) => name.toLowerCase() === 'connection')
    .flatMap(([, value]) => value.split(',').map((token) => token.trim().toLowerCase()))
  const dropped = new Set([...HOP_BY_HOP, ...named])
  return fields.filter(([name]) => !dropped.has(name.toLowerCase()))
}

/** Whether the body is chunked. `undefined`: it has a transfer coding that is not ours to undo, so it cannot be passed on. */
export function isChunked(rawHeaders: readonly string[]): boolean | undefined {
  const codings = rawValues(rawHeaders, 'transfer-encoding')
  if (codings.length === 0) return false
  return codings.length === 1 && codings[0]?.toLowerCase() === 'chunked' ? true : undefined
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
