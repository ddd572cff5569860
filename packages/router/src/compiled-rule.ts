import { addressCondition } from './condition/address-condition.js'
import type { Condition, RoutingFacts } from './condition/condition.js'
import { domainCondition } from './condition/domain-condition.js'
import { parsePorts, portCondition } from './condition/port-condition.js'
import { valuesOf, type RoutingRule, type StringList } from './routing-settings.js'

/** A rule made ready: what must hold, cheapest first, and what it is called. */
export interface CompiledRule {
  readonly name: string
  readonly conditions: readonly Condition[]
  readonly outboundTag?: string
  readonly balancerTag?: string
}

/** @throws {BadDomainPattern} {@link BadAddressPattern} for a value that a check at the load has refused. */
export function compileRule(rule: RoutingRule, index: number): CompiledRule {
  const { outboundTag, balancerTag, ruleTag } = rule
  return {
    name: ruleTag ?? `rules[${index}]`,
    conditions: conditionsOf(rule),
    ...(outboundTag === undefined ? balancerTag === undefined ? {} : { balancerTag } : { outboundTag }),
  }
}

/** Whether a rule cannot be decided before the target's name is resolved. */
export function needsAddresses({ conditions }: CompiledRule): boolean {
  return conditions.some((condition) => condition.needsAddresses === true)
}

function conditionsOf(rule: RoutingRule): Condition[] {
  const domains = [...listOf(rule.domain), ...listOf(rule.domains)]
  const sources = [...listOf(rule.source), ...listOf(rule.sourceIP)]
  return [
    ...oneOf('inboundTag', rule.inboundTag, ({ session }) => session.inboundTag),
    ...oneOf('network', rule.network, ({ session }) => session.target.network),
    ...oneOf('user', rule.user, ({ session }) => session.user?.name),
    ...(rule.port === undefined ? [] : [portCondition('port', parsePorts(rule.port) ?? [], ({ session }) => session.target.port)]),
    ...(rule.sourcePort === undefined ? []
      : [portCondition('sourcePort', parsePorts(rule.sourcePort) ?? [], ({ session }) => session.source?.port)]),
    ...(sources.length === 0 ? [] : [addressCondition('source', sources, ({ session }) => session.source && [session.source.host])]),
    ...(domains.length === 0 ? [] : [domainCondition('domain', domains)]),
    ...(rule.ip === undefined ? [] : [addressCondition('ip', valuesOf(rule.ip), ({ addresses }) => addresses, true)]),
    // Nothing is sniffed, so nobody knows the protocol.
    ...(rule.protocol === undefined ? [] : [{ key: 'protocol', matches: () => false }]),
  ]
}

function oneOf(key: string, list: StringList | undefined, valueOf: (facts: RoutingFacts) => string | undefined): Condition[] {
  if (list === undefined) return []
  const values = new Set(valuesOf(list))
  return [{ key, matches: (facts) => values.has(valueOf(facts) ?? '') }]
}

function listOf(list: StringList | undefined): string[] {
  return list === undefined ? [] : valuesOf(list)
}
