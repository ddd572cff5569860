import { isIP } from 'node:net'
import {
  ConfigError, fault, inject, injectable, OUTBOUND_MANAGER, RESOLVER, SETTINGS,
  type Context, type Fault, type OutboundManager, type Resolver, type Route, type Router, type Sniffer, type SniffingSettings,
} from '@sluice/core'
import { Balancer } from './balancer.js'
import { compileRule, needsAddresses, type CompiledRule } from './compiled-rule.js'
import { BadPattern } from './condition/bad-pattern.js'
import type { RoutingFacts } from './condition/condition.js'
import { nameMatcher } from './condition/domain-condition.js'
import { geoFiles } from './geodata/geo-data.js'
import type { RoutingRule, RoutingSettings } from './routing-settings.js'
import { RuleSniffer, type SniffedRules } from './sniffers/rule-sniffer.js'

/** What became of one rule for a session: it won, it was not reached, or the first condition that did not hold. */
export interface RuleVerdict {
  readonly rule: string
  readonly verdict: 'wins' | 'not reached' | { readonly failed: string }
}

/** Routes by the rules of a config: the first that matches wins. Everything is made ready at the start. */
@injectable()
export class RuleRouter implements Router {
  readonly #rules: readonly CompiledRule[]
  readonly #balancers: ReadonlyMap<string, BalancerSource>
  readonly #resolver: Resolver
  readonly #strategy: NonNullable<RoutingSettings['domainStrategy']>
  readonly #hasAddressRules: boolean
  readonly #sniffed: SniffedRules

  /** @throws {ConfigError} for what data files do not hold; paths start at the section. */
  constructor(
    @inject(SETTINGS) { rules = [], balancers = [], domainStrategy = 'AsIs' }: RoutingSettings,
    @inject(OUTBOUND_MANAGER) outbounds: OutboundManager,
    @inject(RESOLVER) resolver: Resolver,
  ) {
    this.#rules = compileRules(rules)
    this.#balancers = new Map(balancers.map((settings) => [settings.tag, lazily(() => new Balancer(settings, outbounds.tags))]))
    this.#resolver = resolver
    this.#strategy = domainStrategy
    this.#hasAddressRules = this.#rules.some(needsAddresses)
    const has = (key: string): boolean => this.#rules.some(({ conditions }) => conditions.some((condition) => condition.key === key))
    this.#sniffed = { byProtocol: has('protocol'), byName: has('domain') }
  }

  /** A promise only where a rule on addresses must know those of a name. */
  route(session: Context): Route | undefined | Promise<Route | undefined> {
    const { host } = session.target
    const addresses = this.#hasAddressRules && isIP(host) !== 0 ? [host] : undefined
    const mayResolve = this.#hasAddressRules && this.#strategy !== 'AsIs' && addresses === undefined
    if (mayResolve && this.#strategy === 'IPOnDemand') return this.#routeOnDemand(session)
    const route = this.#first(factsOf(session, addresses))
    if (route !== undefined || !mayResolve) return route
    return this.#resolved(session).then((found) => this.#first(factsOf(session, found)))
  }

  sniffer(settings: SniffingSettings): Sniffer {
    const { domainsExcluded = [] } = settings
    try {
      const isExcluded = nameMatcher(domainsExcluded, { data: geoFiles(), plain: 'full' })
      return new RuleSniffer(settings, this.#sniffed, isExcluded)
    } catch (error) {
      if (!(error instanceof BadPattern)) throw error
      throw new ConfigError([fault(['domainsExcluded'], `has a value that ${error.message}`, error.hint === undefined ? {} : { hint: error.hint })])
    }
  }

  /** Tells of each rule whether it takes a session, and of the others why not. */
  async explain(session: Context): Promise<{ readonly route: Route | undefined, readonly rules: readonly RuleVerdict[] }> {
    const route = await this.route(session)
    const { host } = session.target
    const isName = isIP(host) === 0
    const addresses = isName && this.#strategy !== 'AsIs' ? await this.#resolved(session) : isName ? undefined : [host]
    let isDecided = false
    const rules = this.#rules.map((rule): RuleVerdict => {
      if (isDecided) return { rule: rule.name, verdict: 'not reached' }
      const failed = rule.conditions.find((condition) => !condition.matches(factsOf(session, addresses)))
      isDecided = failed === undefined
      return { rule: rule.name, verdict: failed === undefined ? 'wins' : { failed: failed.key } }
    })
    return { route, rules }
  }

  #first(facts: RoutingFacts): Route | undefined {
    const rule = this.#rules.find(({ conditions }) => conditions.every((condition) => condition.matches(facts)))
    return rule === undefined ? undefined : this.#routeOf(rule)
  }

  /** Rules in order; the name is resolved when the first of them needs it. */
  async #routeOnDemand(session: Context): Promise<Route | undefined> {
    let addresses: readonly string[] | undefined
    for (const rule of this.#rules) {
      if (needsAddresses(rule)) addresses ??= await this.#resolved(session)
      if (rule.conditions.every((condition) => condition.matches(factsOf(session, addresses)))) return this.#routeOf(rule)
    }
    return undefined
  }

  /** A name that cannot be resolved has no addresses: no rule on them takes it. */
  async #resolved({ target, signal }: Context): Promise<readonly string[]> {
    try {
      return await this.#resolver.resolve(target.host, { family: 0, signal })
    } catch {
      signal.throwIfAborted()
      return []
    }
  }

  #routeOf({ name, outboundTag, balancerTag = '' }: CompiledRule): Route {
    const picked = outboundTag ?? this.#balancers.get(balancerTag)?.().pick() ?? ''
    return { outboundTag: picked, rule: name }
  }
}

/** Tags are known once all outbounds are made, which is after the router. */
type BalancerSource = () => Balancer

function lazily(make: BalancerSource): BalancerSource {
  let balancer: Balancer | undefined
  return () => (balancer ??= make())
}

function compileRules(rules: readonly RoutingRule[]): CompiledRule[] {
  // Dropped with this call: of the files only what rules name is kept.
  const data = geoFiles()
  const faults: Fault[] = []
  const compiled = rules.flatMap((rule, index) => {
    const result = compileRule(rule, index, data)
    if ('conditions' in result) return [result]
    faults.push(...result)
    return []
  })
  if (faults.length > 0) throw new ConfigError(faults)
  return compiled
}

function factsOf(session: Context, addresses: readonly string[] | undefined): RoutingFacts {
  const { sniffed, target: { host } } = session
  const name = sniffed?.domain ?? (isIP(host) === 0 ? host : undefined)
  return { session, name: name?.toLowerCase().replace(/\.$/, ''), addresses }
}
