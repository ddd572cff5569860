import { isIP } from 'node:net'
import type { DnsSettings } from './dns-settings.js'
import type { Patterns } from './patterns.js'

/** How often one name may stand for another until an address is reached. */
const MAX_ALIASES = 5

/** What `hosts` says of a name: its addresses, or the name to ask for in its place. */
export type FixedHost = { readonly addresses: readonly string[] } | { readonly name: string }

/** The names of `hosts`: exact ones first, then patterns in the order of the config. */
export class FixedHosts {
  readonly #exact = new Map<string, readonly string[]>()
  readonly #patterns: { readonly isMeant: (name: string) => boolean, readonly values: readonly string[] }[] = []

  /** @throws {Error} of the patterns. */
  constructor(hosts: NonNullable<DnsSettings['hosts']>, patterns: Patterns) {
    for (const [pattern, value] of Object.entries(hosts)) {
      const values = typeof value === 'string' ? [value] : value
      const [, exact] = /^(?:full:)?([^:]+)$/.exec(pattern) ?? []
      if (exact === undefined) this.#patterns.push({ isMeant: patterns.names([pattern], 'full'), values })
      else this.#exact.set(exact.toLowerCase(), values)
    }
  }

  /** @returns the name itself where nothing is said of it. */
  find(asked: string): FixedHost {
    let name = asked
    for (let round = 0; round < MAX_ALIASES; round++) {
      const values = this.#exact.get(name) ?? this.#patterns.find(({ isMeant }) => isMeant(name))?.values
      if (values === undefined) break
      const [first = ''] = values
      if (isIP(first) !== 0) return { addresses: values }
      const next = first.toLowerCase().replace(/\.$/, '')
      if (next === name) break
      name = next
    }
    return { name }
  }
}
