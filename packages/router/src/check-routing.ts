import { fault, suggestion, type Fault, type KnownTags, type PathSegment } from '@sluice/core'
import { membersOf } from './balancer/balancer.js'
import type { BalancerSettings } from './balancer/balancer-settings.js'
import { BadPattern } from './condition/bad-pattern.js'
import { expression } from './condition/expression.js'
import { parseDuration } from './observatory/parse-duration.js'
import { compileRule } from './compiled-rule.js'
import { parsePorts } from './condition/port-condition.js'
import { NO_GEO_DATA } from './geodata/geo-data.js'
import {
  UNSUPPORTED_IN_RULES, UNSUPPORTED_IN_SECTION, valuesOf, type RoutingRule, type RoutingSettings,
} from './routing-settings.js'

type At = readonly PathSegment[]

const NETWORKS: ReadonlySet<string> = new Set(['tcp', 'udp'])
const LISTS = ['inboundTag', 'network', 'domain', 'domains', 'ip', 'source', 'sourceIP', 'user', 'protocol'] as const
const PORTS = ['port', 'sourcePort'] as const
const STARLARK_HINT = 'write an object of regular expressions, as { ":method": "^GET$" }'
const SNIFFED: ReadonlySet<string> = new Set(['http', 'http1', 'http/1.1', 'tls'])

/**
 * What the schema cannot say: tags that nobody has, values that cannot be read, rules that would take everything, and what is not
 * built. That is an error and never left out, for a rule with a condition less takes sessions that were never meant for it.
 */
export function checkRouting(settings: RoutingSettings, known: KnownTags): Fault[] {
  const { rules = [], balancers = [] } = settings
  const faults = presentIn(settings, UNSUPPORTED_IN_SECTION).map((key) =>
    fault([key], 'not supported yet', { hint: 'write rules and domainStrategy directly into routing' }))
  const balancerTags = new Set(balancers.map(({ tag }) => tag))
  return [
    ...faults,
    ...rules.flatMap((rule, index) => [...ruleFaults(rule, ['rules', index], known, balancerTags), ...patternFaults(rule, index)]),
    ...balancers.flatMap((balancer, index) => balancerFaults(balancer, ['balancers', index], known)),
  ]
}

function ruleFaults(rule: RoutingRule, at: At, known: KnownTags, balancers: ReadonlySet<string>): Fault[] {
  const missing = presentIn(rule, UNSUPPORTED_IN_RULES)
  const conditions = presentIn(rule, [...LISTS, ...PORTS, 'attrs'])
  const faults = missing.map((key) => fault([...at, key], 'not supported yet'))
  if (missing.length === 0 && conditions.length === 0) {
    const hint = 'name a condition, as domain, ip, port or inboundTag; the first outbound takes what no rule takes'
    faults.push(fault(at, 'has no condition and would take every session', { hint }))
  }
  return [...faults, ...goalFaults(rule, at, known, balancers), ...valueFaults(rule, at, known)]
}

function goalFaults({ outboundTag, balancerTag }: RoutingRule, at: At, { outbounds }: KnownTags, balancers: ReadonlySet<string>): Fault[] {
  if (outboundTag !== undefined) return outboundFaults(outboundTag, [...at, 'outboundTag'], outbounds)
  if (balancerTag === undefined) return [fault([...at, 'outboundTag'], 'missing')]
  if (balancers.has(balancerTag)) return []
  return [fault([...at, 'balancerTag'], `no balancer has the tag "${balancerTag}"`, hintFor(balancerTag, balancers))]
}

function valueFaults(rule: RoutingRule, at: At, { inbounds }: KnownTags): Fault[] {
  const faults = LISTS.filter((key) => rule[key] !== undefined && valuesOf(rule[key]).length === 0)
    .map((key) => fault([...at, key], 'must not be empty'))
  for (const key of PORTS) {
    const ports = rule[key]
    if (ports !== undefined && parsePorts(ports) === undefined) faults.push(fault([...at, key], `has no ports: "${ports}"`))
  }
  const each = (key: (typeof LISTS)[number], check: (value: string) => Fault | undefined): void => {
    for (const value of valuesOf(rule[key] ?? [])) {
      const found = check(value)
      if (found !== undefined) faults.push(found)
    }
  }
  each('network', (name) => (NETWORKS.has(name) ? undefined : fault([...at, 'network'], `must be "tcp" or "udp", not "${name}"`)))
  each('inboundTag', (tag) => (inbounds.has(tag) ? undefined
    : fault([...at, 'inboundTag'], `no inbound has the tag "${tag}"`, { severity: 'warning', ...hintFor(tag, inbounds) })))
  each('protocol', (protocol) => (SNIFFED.has(protocol.toLowerCase()) ? undefined
    : fault([...at, 'protocol'], `"${protocol}" never holds: only http and tls are recognised`, { severity: 'warning' })))
  const { attrs } = rule
  if (typeof attrs === 'string') {
    faults.push(fault([...at, 'attrs'], 'is a Starlark expression, which is not supported', { hint: STARLARK_HINT }))
  } else if (attrs !== undefined && Object.keys(attrs).length === 0) faults.push(fault([...at, 'attrs'], 'must not be empty'))
  return faults
}

/** How values are written. What data files hold shows when the router is made. */
function patternFaults(rule: RoutingRule, index: number): readonly Fault[] {
  const compiled = compileRule(rule, index, NO_GEO_DATA)
  return 'conditions' in compiled ? [] : compiled
}

function balancerFaults({ selector, fallbackTag, strategy = {} }: BalancerSettings, at: At, { outbounds }: KnownTags): Fault[] {
  const faults = strategyFaults(strategy, [...at, 'strategy'])
  if (fallbackTag !== undefined) return [...faults, ...outboundFaults(fallbackTag, [...at, 'fallbackTag'], outbounds)]
  if (membersOf(selector, [...outbounds]).length > 0) return faults
  return [...faults, fault([...at, 'selector'], 'selects no outbound', { hint: `known are ${listed(outbounds)}` })]
}

function strategyFaults({ type, settings }: NonNullable<BalancerSettings['strategy']>, at: At): Fault[] {
  if (settings === undefined) return []
  if (type !== 'leastLoad') return [fault([...at, 'settings'], 'is ignored: only leastLoad has settings', { severity: 'warning' })]
  const { maxRTT, baselines = [], costs = [] } = settings
  const inside: At = [...at, 'settings']
  const durations = [
    ...(maxRTT === undefined ? [] : [[['maxRTT'], maxRTT] as const]),
    ...baselines.map((text, index) => [['baselines', index], text] as const),
  ]
  return [
    ...durations.filter(([, text]) => parseDuration(text) === undefined)
      .map(([key, text]) => fault([...inside, ...key], `must be a duration as "10s", not "${text}"`)),
    ...costs.flatMap(({ regexp = false, match }, index) => {
      try {
        if (regexp) expression(match)
        return []
      } catch (error) {
        if (!(error instanceof BadPattern)) throw error
        return [fault([...inside, 'costs', index, 'match'], `"${match}" ${error.message}`)]
      }
    }),
  ]
}

function outboundFaults(tag: string, at: At, outbounds: ReadonlySet<string>): Fault[] {
  return outbounds.has(tag) ? [] : [fault(at, `no outbound has the tag "${tag}"`, hintFor(tag, outbounds))]
}

function presentIn(value: object, names: readonly string[]): string[] {
  return names.filter((name) => Object.hasOwn(value, name))
}

function hintFor(tag: string, tags: ReadonlySet<string>): { hint?: string } {
  return { hint: tags.size === 0 ? 'none has a tag' : `known are ${listed(tags)}`, ...suggestion(tag, tags) }
}

function listed(tags: ReadonlySet<string>): string {
  return [...tags].map((name) => `"${name}"`).join(', ')
}
