import { isIP } from 'node:net'
import {
  ConfigError, fault,
  type Context, type Fault, type OutboundManager, type Resolver, type Route, type Router, type Sniffer, type SniffingSettings,
} from '@sluice/core'
import { Balancer, type BalancerMember } from './balancer/balancer.js'
import { compileRule, needsAddresses, type CompiledRule } from './compiled-rule.js'
import { BadPattern } from './condition/bad-pattern.js'
import type { Condition, RoutingFacts } from './condition/condition.js'
import { geoFiles } from './geodata/geo-data.js'
import type { Health, Observatory } from './observatory/health.js'
import { rulePatterns } from './rule-patterns.js'
import type { RoutingRule, RoutingSettings } from './routing-settings.js'
import { seenValue } from './seen-value.js'
import { RuleSniffer, type SniffedRules } from './sniffers/rule-sniffer.js'

/** What became of one rule for a session. */
export interface RuleVerdict {
  readonly rule: string
  /** It won, it was not reached, or the first condition that did not hold, with what that one saw of the session. */
  readonly verdict: 'wins' | 'not reached' | { readonly failed: string, readonly seen: string }
  /** Of a rule that wins by a balancer: who could be picked. */
  readonly balancer?: { readonly tag: string, readonly members: readonly BalancerMember[], readonly picked: string }
}

/** How a session is routed and why. */
export interface Explanation {
  /** `undefined`: no rule takes it, so the first outbound does. */
  readonly route: Route | undefined
  readonly rules: readonly RuleVerdict[]
  /** The target's addresses as rules saw them in the end; absent where they were not asked for. */
  readonly addresses?: readonly string[]
}

/** Routes by the rules of a config: the first that matches wins. Everything is made ready at the start. */
export class RuleRouter implements Router {
  readonly #rules: readonly CompiledRule[]
  readonly #balancers: ReadonlyMap<string, BalancerSource>
  readonly #resolver: Resolver
  readonly #strategy: NonNullable<RoutingSettings['domainStrategy']>
  readonly #hasAddressRules: boolean
  readonly #sniffed: SniffedRules

  /**
   * @param observatories Asked for the health of outbounds, in this order.
   * @throws {ConfigError} for what data files do not hold; paths start at the section.
   */
  constructor(
    { rules = [], balancers = [], domainStrategy = 'AsIs' }: RoutingSettings,
    outbounds: OutboundManager, resolver: Resolver, observatories: readonly Observatory[] = [],
  ) {
    this.#rules = compileRules(rules)
    const healthOf = (tag: string): Health | undefined => {
      for (const observatory of observatories) {
        const health = observatory.health(tag)
        if (health !== undefined) return health
      }
      return undefined
    }
    this.#balancers = new Map(balancers.map((settings) =>
      [settings.tag, lazily(() => new Balancer(settings, outbounds.tags, healthOf))] as const))
    this.#resolver = resolver
    this.#strategy = domainStrategy
    this.#hasAddressRules = this.#rules.some(needsAddresses)
    const has = (key: string): boolean => this.#rules.some(({ conditions }) => conditions.some((condition) => condition.key === key))
    this.#sniffed = { byProtocol: has('protocol'), byName: has('domain') }
  }

  /** A promise only where a rule on addresses must know those of a name. */
  route(session: Context): Route | undefined | Promise<Route | undefined> {
    const facts = factsOf(session)
    const mayResolve = this.#mayResolve(facts)
    if (mayResolve && this.#strategy === 'IPOnDemand') return this.#routeOnDemand(facts)
    const rule = this.#first(facts)
    if (rule !== undefined || !mayResolve) return rule && this.#routeOf(rule)
    return this.#resolved(facts).then((resolved) => {
      const found = this.#first(resolved)
      return found && this.#routeOf(found)
    })
  }

  sniffer(settings: SniffingSettings): Sniffer {
    const { domainsExcluded = [], ipsExcluded = [] } = settings
    return new RuleSniffer(settings, this.#sniffed, {
      name: within('domainsExcluded', () => rulePatterns.names(domainsExcluded, 'full')),
      address: within('ipsExcluded', () => rulePatterns.addresses(ipsExcluded)),
    })
  }

  /**
   * Routes a session and tells of each rule whether it takes it, and of the others why not. Names are resolved as for a session, and
   * a balancer picks.
   */
  async explain(session: Context): Promise<Explanation> {
    let facts = factsOf(session)
    const mayResolve = this.#mayResolve(facts)
    if (mayResolve && (this.#strategy === 'IPOnDemand' ? this.#reachesAddressRule(facts) : this.#first(facts) === undefined)) {
      facts = await this.#resolved(facts)
    }
    const winner = this.#first(facts)
    const route = winner && this.#routeOf(winner)
    const at = winner === undefined ? this.#rules.length : this.#rules.indexOf(winner)
    const rules = this.#rules.map((rule, index): RuleVerdict => {
      if (index > at) return { rule: rule.name, verdict: 'not reached' }
      if (rule === winner) return { rule: rule.name, verdict: 'wins', ...this.#balancerOf(rule, route?.outboundTag ?? '') }
      const { key = '' } = rule.conditions.find((condition) => !condition.matches(facts)) ?? {}
      return { rule: rule.name, verdict: { failed: key, seen: seenValue(key, facts) } }
    })
    return { route, rules, ...(facts.addresses === undefined ? {} : { addresses: facts.addresses }) }
  }

  #mayResolve({ addresses }: RoutingFacts): boolean {
    return this.#hasAddressRules && this.#strategy !== 'AsIs' && addresses === undefined
  }

  /** Whether a session comes to a rule that only addresses can decide before one takes it. */
  #reachesAddressRule(facts: RoutingFacts): boolean {
    const isOpen = (condition: Condition): boolean => condition.needsAddresses === true || condition.matches(facts)
    const rule = this.#rules.find(({ conditions }) => conditions.every(isOpen))
    return rule !== undefined && needsAddresses(rule)
  }

  #first(facts: RoutingFacts): CompiledRule | undefined {
    return this.#rules.find((rule) => holds(rule, facts))
  }

  /** Rules in order; the name is resolved when the first of them needs it. */
  async #routeOnDemand(facts: RoutingFacts): Promise<Route | undefined> {
    const rule = this.#first(this.#reachesAddressRule(facts) ? await this.#resolved(facts) : facts)
    return rule && this.#routeOf(rule)
  }

  /** A name that cannot be resolved has no addresses: no rule on them takes it. */
  async #resolved(facts: RoutingFacts): Promise<RoutingFacts> {
    const { target, signal } = facts.session
    try {
      return { ...facts, addresses: await this.#resolver.resolve(target.host, { family: 0, signal }) }
    } catch {
      signal.throwIfAborted()
      return { ...facts, addresses: [] }
    }
  }

  #routeOf({ name, outboundTag, balancerTag = '' }: CompiledRule): Route {
    const picked = outboundTag ?? this.#balancers.get(balancerTag)?.().pick() ?? ''
    return { outboundTag: picked, rule: name }
  }

  #balancerOf({ balancerTag = '' }: CompiledRule, picked: string): Pick<RuleVerdict, 'balancer'> {
    const balancer = this.#balancers.get(balancerTag)?.()
    return balancer === undefined ? {} : { balancer: { tag: balancerTag, members: balancer.members, picked } }
  }
}

/** Tags are known once all outbounds are made, which is after the router. */
type BalancerSource = () => Balancer

function lazily(make: BalancerSource): BalancerSource {
  let balancer: Balancer | undefined
  return () => (balancer ??= make())
}

/** @throws {ConfigError} in place of what a bad value throws. */
function within<T>(key: string, make: () => T): T {
  try {
    return make()
  } catch (error) {
    if (!(error instanceof BadPattern)) throw error
    const { message, hint } = error
    throw new ConfigError([fault([key], `has a value that ${message}`, hint === undefined ? {} : { hint })])
  }
}

function holds({ conditions }: CompiledRule, facts: RoutingFacts): boolean {
  return conditions.every((condition) => condition.matches(facts))
}

function compileRules(rules: readonly RoutingRule[]): CompiledRule[] {
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

/** What is known without asking anybody. */
function factsOf(session: Context): RoutingFacts {
  const { sniffed, target: { host } } = session
  const isAddress = isIP(host) !== 0
  const name = sniffed?.domain ?? (isAddress ? undefined : host)
  return { session, name: name === undefined ? undefined : plainName(name), addresses: isAddress ? [host] : undefined }
}

function plainName(name: string): string {
  return (name.endsWith('.') ? name.slice(0, -1) : name).toLowerCase()
}
