import { fault, type Fault } from '@sluice/core'
import { addressCondition, type AddressConditionOptions } from './condition/address-condition.js'
import { BadPattern } from './condition/bad-pattern.js'
import type { Condition, RoutingFacts } from './condition/condition.js'
import { domainCondition } from './condition/domain-condition.js'
import { parsePorts, portCondition } from './condition/port-condition.js'
import { attributeCondition, protocolCondition, userCondition } from './condition/session-conditions.js'
import type { GeoData } from './geodata/geo-data.js'
import { valuesOf, type RoutingRule, type StringList } from './routing-settings.js'

/** A rule made ready: what must hold, cheapest first, and what it is called. */
export interface CompiledRule {
  readonly name: string
  readonly conditions: readonly Condition[]
  readonly outboundTag?: string
  readonly balancerTag?: string
}

/** @returns the faults of its values in place of the rule, each with the path that starts at the section. */
export function compileRule(rule: RoutingRule, index: number, data: GeoData): CompiledRule | readonly Fault[] {
  const { outboundTag, balancerTag, ruleTag } = rule
  const faults: Fault[] = []
  const conditions = MAKERS.flatMap(([keys, make]) => {
    const present = keys.filter((key) => rule[key] !== undefined)
    if (present.length === 0) return []
    try {
      return [make(rule, data)]
    } catch (error) {
      if (!(error instanceof BadPattern)) throw error
      faults.push(...present.flatMap((key) => faultsOf(rule, key, data, make).map(([value, { message, hint }]) =>
        fault(['rules', index, key], `"${value}" ${message}`, hint === undefined ? {} : { hint }))))
      return []
    }
  })
  if (faults.length > 0) return faults
  return {
    name: ruleTag ?? `rules[${index}]`,
    conditions,
    ...(outboundTag === undefined ? balancerTag === undefined ? {} : { balancerTag } : { outboundTag }),
  }
}

/** Whether a rule cannot be decided before the target's name is resolved. */
export function needsAddresses({ conditions }: CompiledRule): boolean {
  return conditions.some((condition) => condition.needsAddresses === true)
}

type Key =
  | 'inboundTag' | 'network' | 'user' | 'protocol' | 'port' | 'sourcePort' | 'source' | 'sourceIP' | 'domain' | 'domains' | 'ip' | 'attrs'
type Maker = (rule: RoutingRule, data: GeoData) => Condition

const CLIENT = { addressesOf: ({ session: { source } }: RoutingFacts) => source && [source.host] } satisfies AddressConditionOptions
const TARGET = { addressesOf: ({ addresses }: RoutingFacts) => addresses, needsAddresses: true } satisfies AddressConditionOptions

/** The keys of a rule with the one condition that they make, in the order of trial. */
const MAKERS: readonly (readonly [keys: readonly Key[], make: Maker])[] = [
  [['inboundTag'], ({ inboundTag }) => oneOf('inboundTag', inboundTag, ({ session }) => session.inboundTag)],
  [['network'], ({ network }) => oneOf('network', network, ({ session }) => session.target.network)],
  [['protocol'], ({ protocol }) => protocolCondition('protocol', listOf(protocol))],
  [['user'], ({ user }) => userCondition('user', listOf(user))],
  [['port'], ({ port = '' }) => portCondition('port', parsePorts(port) ?? [], ({ session }) => session.target.port)],
  [['sourcePort'], ({ sourcePort = '' }) =>
    portCondition('sourcePort', parsePorts(sourcePort) ?? [], ({ session }) => session.source?.port)],
  [['source', 'sourceIP'], ({ source, sourceIP }, data) =>
    addressCondition('source', [...listOf(source), ...listOf(sourceIP)], { ...CLIENT, data })],
  [['attrs'], ({ attrs }) => attributeCondition('attrs', typeof attrs === 'object' ? attrs : {})],
  [['domain', 'domains'], ({ domain, domains }, data) => domainCondition('domain', [...listOf(domain), ...listOf(domains)], data)],
  [['ip'], ({ ip }, data) => addressCondition('ip', listOf(ip), { ...TARGET, data })],
]

/** Which values of a key cannot be used, found one by one. */
function faultsOf(rule: RoutingRule, key: Key, data: GeoData, make: Maker): (readonly [value: string, error: BadPattern])[] {
  const { attrs } = rule
  const single = key === 'attrs'
    ? Object.entries(typeof attrs === 'object' ? attrs : {}).map(([name, source]) => [source, { [name]: source }] as const)
    : listOf(rule[key] as StringList).map((value) => [value, [value]] as const)
  return single.flatMap(([value, alone]) => {
    try {
      make({ [key]: alone }, data)
      return []
    } catch (error) {
      if (error instanceof BadPattern) return [[value, error] as const]
      throw error
    }
  })
}

function oneOf(key: string, list: StringList | undefined, valueOf: (facts: RoutingFacts) => string | undefined): Condition {
  const values = new Set(listOf(list))
  return { key, matches: (facts) => values.has(valueOf(facts) ?? '') }
}

function listOf(list: StringList | undefined): string[] {
  return list === undefined ? [] : valuesOf(list)
}
