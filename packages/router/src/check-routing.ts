import { fault, suggestion, type Fault, type KnownTags } from '@sluice/core'
import { UNSUPPORTED_IN_RULES, UNSUPPORTED_IN_SECTION, valuesOf, type RoutingRule, type RoutingSettings } from './routing-settings.js'

const NETWORKS: ReadonlySet<string> = new Set(['tcp', 'udp'])

/**
 * What the schema cannot say: tags that nobody has, rules that would take everything, and what is not built yet. That is an
 * error and never left out, for a rule with a condition less takes sessions that were never meant for it.
 */
export function checkRouting(settings: RoutingSettings, known: KnownTags): Fault[] {
  const { rules = [], balancers = [] } = settings
  const faults = presentIn(settings, UNSUPPORTED_IN_SECTION).map((key) =>
    fault([key], 'not supported yet', { hint: 'write rules and domainStrategy directly into routing' }))
  if (balancers.length > 0) faults.push(fault(['balancers'], 'not supported yet'))
  return [...faults, ...rules.flatMap((rule, index) => ruleFaults(rule, ['rules', index], known))]
}

function ruleFaults(rule: RoutingRule, at: readonly (string | number)[], known: KnownTags): Fault[] {
  const missing = presentIn(rule, UNSUPPORTED_IN_RULES)
  const faults = missing.map((key) => fault([...at, key], 'not supported yet'))
  if (missing.length === 0 && rule.inboundTag === undefined && rule.network === undefined) {
    const hint = 'name inboundTag or network; the first outbound takes what no rule takes'
    faults.push(fault(at, 'has no condition and would take every session', { hint }))
  }
  if (!missing.includes('balancerTag')) faults.push(...outboundFaults(rule.outboundTag, [...at, 'outboundTag'], known))
  return [...faults, ...inboundFaults(rule, [...at, 'inboundTag'], known), ...networkFaults(rule, [...at, 'network'])]
}

function outboundFaults(tag: string | undefined, at: readonly (string | number)[], { outbounds }: KnownTags): Fault[] {
  if (tag === undefined) return [fault(at, 'missing')]
  return outbounds.has(tag) ? [] : [fault(at, `no outbound has the tag "${tag}"`, hintFor(tag, outbounds))]
}

function inboundFaults({ inboundTag }: RoutingRule, at: readonly (string | number)[], { inbounds }: KnownTags): Fault[] {
  if (inboundTag === undefined) return []
  const tags = valuesOf(inboundTag)
  if (tags.length === 0) return [fault(at, 'must not be empty')]
  return tags.filter((tag) => !inbounds.has(tag)).map((tag) =>
    fault(at, `no inbound has the tag "${tag}"`, { severity: 'warning', ...hintFor(tag, inbounds) }))
}

function networkFaults({ network }: RoutingRule, at: readonly (string | number)[]): Fault[] {
  if (network === undefined) return []
  const networks = valuesOf(network)
  if (networks.length === 0) return [fault(at, 'must not be empty')]
  return networks.filter((name) => !NETWORKS.has(name)).map((name) => fault(at, `must be "tcp" or "udp", not "${name}"`))
}

function presentIn(value: object, names: readonly string[]): string[] {
  return names.filter((name) => Object.hasOwn(value, name))
}

function hintFor(tag: string, tags: ReadonlySet<string>): { hint?: string } {
  const known = [...tags].map((name) => `"${name}"`).join(', ')
  return { hint: known === '' ? 'none has a tag' : `known are ${known}`, ...suggestion(tag, tags) }
}
