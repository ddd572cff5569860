import type { QueryStrategy } from './dns-settings.js'
import type { AddressType, NameServer } from './name-server.js'

/** A server together with what the config wants of it. */
export interface ConfiguredServer {
  readonly server: NameServer
  /** Absent: no name is its own. */
  readonly isOwn?: (name: string) => boolean
  /** Absent: any address will do. */
  readonly isExpected?: (address: string) => boolean
  readonly skipFallback: boolean
  readonly strategy: QueryStrategy
  readonly timeoutMs: number
}

const STRATEGIES: Readonly<Record<QueryStrategy, readonly AddressType[]>> = { UseIP: ['A', 'AAAA'], UseIPv4: ['A'], UseIPv6: ['AAAA'] }
const FAMILIES: Readonly<Record<0 | 4 | 6, readonly AddressType[]>> = { 0: ['A', 'AAAA'], 4: ['A'], 6: ['AAAA'] }

/** Which records are asked for. None: the strategy has no addresses of that family. */
export function typesOf(strategy: QueryStrategy, family: 0 | 4 | 6): readonly AddressType[] {
  return STRATEGIES[strategy].filter((type) => FAMILIES[family].includes(type))
}

/** When servers are asked for names that are not their own. */
export interface Fallback {
  readonly disableFallback: boolean
  readonly disableFallbackIfMatch: boolean
}

/** The servers for a name: those whose own it is, then the others. There is always one, for v2ray asks the first at least. */
export function serversFor(
  name: string, servers: readonly ConfiguredServer[], { disableFallback, disableFallbackIfMatch }: Fallback,
): readonly ConfiguredServer[] {
  const own = servers.filter(({ isOwn }) => isOwn?.(name) === true)
  const goesOn = !disableFallback && !(disableFallbackIfMatch && own.length > 0)
  const others = goesOn ? servers.filter((server) => !server.skipFallback && !own.includes(server)) : []
  const chosen = [...own, ...others]
  return chosen.length > 0 ? chosen : servers.slice(0, 1)
}
