import { isIP } from 'node:net'
import type { Context, Sniffed, Sniffer, SniffingSettings } from '@sluice/core'
import { sniffHttp } from './sniff-http.js'
import { sniffTls } from './sniff-tls.js'

const SNIFFERS = [sniffTls, sniffHttp] as const

/** Which kinds of rules there are that what is sniffed could decide. */
export interface SniffedRules {
  readonly byProtocol: boolean
  readonly byName: boolean
}

/** What an inbound excludes: names that are never used, and addresses that stay. */
export interface SniffingExclusions {
  readonly name: (name: string) => boolean
  readonly address: (address: string) => boolean
}

/** Sniffs HTTP/1 and TLS for one inbound. */
export class RuleSniffer implements Sniffer {
  readonly routeOnly: boolean
  readonly #overrides: ReadonlySet<string>
  readonly #excluded: SniffingExclusions
  readonly #isOff: boolean
  readonly #rules: SniffedRules

  constructor(
    { destOverride = [], routeOnly = false, metadataOnly = false }: SniffingSettings, rules: SniffedRules, excluded: SniffingExclusions,
  ) {
    this.routeOnly = routeOnly
    this.#overrides = new Set(destOverride)
    this.#isOff = metadataOnly
    this.#rules = rules
    this.#excluded = excluded
  }

  /** A session to a name is sniffed for rules on protocols only: the name that its client gave stays. */
  wants({ target }: Context): boolean {
    if (this.#isOff || target.network !== 'tcp') return false
    if (this.#rules.byProtocol) return true
    return this.#overrides.size > 0 && (!this.routeOnly || this.#rules.byName) && this.#isReplaceable(target.host)
  }

  read(head: Buffer, { target }: Context): Sniffed | 'more' | undefined {
    let isOpen = false
    for (const sniff of SNIFFERS) {
      const found = sniff(head)
      if (found === 'more') isOpen = true
      else if (found !== undefined) return this.#usable(found, target.host)
    }
    return isOpen ? 'more' : undefined
  }

  #usable({ protocol, domain }: Sniffed, host: string): Sniffed {
    if (domain === undefined || !this.#overrides.has(protocol) || !this.#isReplaceable(host)) return { protocol }
    return this.#excluded.name(domain) ? { protocol } : { protocol, domain }
  }

  #isReplaceable(host: string): boolean {
    return isIP(host) !== 0 && !this.#excluded.address(host)
  }
}
