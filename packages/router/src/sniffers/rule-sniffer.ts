import { isIP } from 'node:net'
import type { Context, Sniffed, Sniffer, SniffingSettings } from '@sluice/core'
import type { NameMatcher } from '../condition/domain-condition.js'
import { sniffHttp } from './sniff-http.js'
import { sniffTls } from './sniff-tls.js'

const SNIFFERS = [sniffTls, sniffHttp] as const

/** Which kinds of rules there are that what is sniffed could decide. */
export interface SniffedRules {
  readonly byProtocol: boolean
  readonly byName: boolean
}

/** Sniffs HTTP/1 and TLS for one inbound. */
export class RuleSniffer implements Sniffer {
  readonly routeOnly: boolean
  readonly #overrides: ReadonlySet<string>
  readonly #isExcluded: NameMatcher
  readonly #isOff: boolean
  readonly #rules: SniffedRules

  /** @param isExcluded Which names are never used. */
  constructor(
    { destOverride = [], routeOnly = false, metadataOnly = false }: SniffingSettings, rules: SniffedRules, isExcluded: NameMatcher,
  ) {
    this.routeOnly = routeOnly
    this.#overrides = new Set(destOverride)
    this.#isOff = metadataOnly
    this.#rules = rules
    this.#isExcluded = isExcluded
  }

  /** A session to a name is sniffed for rules on protocols only: the name that its client gave stays. */
  wants({ target }: Context): boolean {
    if (this.#isOff || target.network !== 'tcp') return false
    if (this.#rules.byProtocol) return true
    return this.#overrides.size > 0 && (!this.routeOnly || this.#rules.byName) && isIP(target.host) !== 0
  }

  read(head: Buffer, { target }: Context): Sniffed | 'more' | undefined {
    let isOpen = false
    for (const sniff of SNIFFERS) {
      const found = sniff(head)
      if (found === 'more') isOpen = true
      else if (found !== undefined) return this.#usable(found, isIP(target.host) !== 0)
    }
    return isOpen ? 'more' : undefined
  }

  #usable({ protocol, domain }: Sniffed, isAddress: boolean): Sniffed {
    const isUsed = domain !== undefined && isAddress && this.#overrides.has(protocol) && !this.#isExcluded(domain)
    return isUsed ? { protocol, domain } : { protocol }
  }
}
