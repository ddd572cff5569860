import { drop } from './drop-api.js'
import { objectsOf, type Loose, type Rewriting } from './rewriting.js'

/** The protocols that modules serve. */
export interface KnownProtocols {
  readonly inbounds: ReadonlySet<string>
  readonly outbounds: ReadonlySet<string>
}

/**
 * Takes out handlers of other protocols. The first outbound stays for the check: without it the next one, often a direct one, would
 * take every session that no rule takes.
 */
export function skipUnknown(rewriting: Rewriting, root: Loose, known: KnownProtocols): void {
  for (const key of ['inbounds', 'outbounds'] as const) {
    const unknown = objectsOf(root[key]).filter(([index, { protocol }]) =>
      typeof protocol === 'string' && !known[key].has(protocol) && !(key === 'outbounds' && index === 0))
    drop(rewriting, root, key, unknown.map(([index]) => index), 'its protocol is unknown')
  }
}

/** Takes from handlers of other protocols what is told of their streams: that the protocol is unknown says it all. */
export function bareUnknown(root: Loose, known: KnownProtocols): void {
  for (const key of ['inbounds', 'outbounds'] as const) {
    for (const [, handler] of objectsOf(root[key])) {
      if (typeof handler['protocol'] === 'string' && !known[key].has(handler['protocol'])) delete handler['streamSettings']
    }
  }
}
