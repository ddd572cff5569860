import type { RoutingFacts } from './condition/condition.js'

/** What a condition looked at, for who asks why it did not hold. */
export function seenValue(key: string, { session, name, addresses }: RoutingFacts): string {
  const { target, source, user, inboundTag, sniffed, http } = session
  switch (key) {
    case 'inboundTag': return inboundTag === '' ? 'an inbound without a tag' : inboundTag
    case 'network': return target.network
    case 'protocol': return http === undefined ? sniffed?.protocol ?? 'not known' : 'http'
    case 'user': return user?.name ?? 'nobody'
    case 'port': return String(target.port)
    case 'sourcePort': return source === undefined ? 'not known' : String(source.port)
    case 'source': return source?.host ?? 'not known'
    case 'attrs': return http === undefined ? 'no plain HTTP request' : `${http.method} ${http.path}`
    case 'domain': return name ?? 'an address, which has no name'
    default: return addresses === undefined ? 'not resolved' : addresses.join(', ') || 'none, the name does not resolve'
  }
}
