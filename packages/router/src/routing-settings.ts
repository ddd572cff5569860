import type { JsonSchema, ObjectSchema } from '@sluice/core'
import { balancerSchema, type BalancerSettings } from './balancer/balancer-settings.js'

/** A list, or the same as one text with commas between. */
export type StringList = string | readonly string[]

/** All conditions that a rule names must hold; within one, any of its values will do. */
export interface RoutingRule {
  /** @default field */
  readonly type?: 'field'
  /** The session came in through one of these inbounds. */
  readonly inboundTag?: StringList
  /** `tcp` or `udp`. */
  readonly network?: StringList
  /**
   * Names of the target: plain text anywhere in it, `full:`, `domain:`, `keyword:`, `dotless:`, `regexp:`, and `geosite:LIST@attribute`
   * or `ext:FILE:LIST` of data files. An address has no name.
   */
  readonly domain?: StringList
  /** The same as `domain`; both may be given. */
  readonly domains?: StringList
  /** Addresses of the target: IP, CIDR, `geoip:private`, `geoip:LIST` or `ext:FILE:LIST` of data files; `!` before one: any other. */
  readonly ip?: StringList
  /** Ports of the target, as `53,443,1000-2000`. */
  readonly port?: number | string
  /** The client's address, in the forms of `ip`. */
  readonly source?: StringList
  /** The same as `source`. */
  readonly sourceIP?: StringList
  /** The client's port, in the forms of `port`. */
  readonly sourcePort?: number | string
  /** Who opened the session, as its inbound authenticated it: names, or `regexp:`. */
  readonly user?: StringList
  /** What is inside: `http` or `tls`, told by the inbound's `sniffing`; a plain HTTP request is known without. Others never hold. */
  readonly protocol?: StringList
  /** Expressions for a plain HTTP request's `:method`, `:path` and header fields; all must hold. v2ray's Starlark is refused. */
  readonly attrs?: Readonly<Record<string, string>> | string
  /** The outbound that takes the session. */
  readonly outboundTag?: string
  /** The balancer that picks the outbound; `outboundTag` goes before it. */
  readonly balancerTag?: string
  /** Names the rule in logs. @default rules[INDEX] */
  readonly ruleTag?: string
  /** Accepted without effect: it changes only how v2ray stores names. */
  readonly domainMatcher?: string
}

/** When a name is resolved for a rule on addresses; the first is the default. */
export const DOMAIN_STRATEGIES = ['AsIs', 'IPIfNonMatch', 'IPOnDemand'] as const

/** The section `routing`. */
export interface RoutingSettings {
  /** Tried in order: the first that matches wins. What none matches goes to the first outbound. */
  readonly rules?: readonly RoutingRule[]
  /**
   * When a rule on addresses resolves the target's name: never, once no rule has matched, or when the first such rule is reached.
   * @default AsIs
   */
  readonly domainStrategy?: (typeof DOMAIN_STRATEGIES)[number]
  /** Accepted without effect: it changes only how v2ray stores names. */
  readonly domainMatcher?: string
  readonly balancers?: readonly BalancerSettings[]
}

/** Conditions that people's rules hold and that are not built. To leave one out would make a rule wider. */
export const UNSUPPORTED_IN_RULES = ['process', 'localIP', 'localPort', 'localOS', 'vlessRoute', 'webhook'] as const

/** The section's older form, in which rules stand one level deeper. */
export const UNSUPPORTED_IN_SECTION = ['settings', 'strategy'] as const

const unsupported = (names: readonly string[]): Record<string, JsonSchema> =>
  Object.fromEntries(names.map((name) => [name, { description: 'Not supported yet' }]))

const stringList = (what: string): JsonSchema => ({
  description: `a list of ${what}, or one text with commas between them`,
  anyOf: [{ type: 'string' }, { type: 'array', items: { type: 'string' } }],
})

const portList: JsonSchema = {
  description: 'a port, or text with ports and ranges, as "53,443,1000-2000"',
  anyOf: [{ type: 'integer', minimum: 0, maximum: 65_535 }, { type: 'string' }],
}

const tag: JsonSchema = { type: 'string', minLength: 1 }
const matcher: JsonSchema = { type: 'string', enum: ['linear', 'mph', 'hybrid'], description: 'Has no effect here' }

const supportedInRules: ObjectSchema<RoutingRule>['properties'] = {
  type: { type: 'string', enum: ['field'], default: 'field' },
  inboundTag: stringList('tags'),
  network: stringList('"tcp" and "udp"'),
  domain: stringList('names'),
  domains: stringList('names'),
  ip: stringList('addresses'),
  port: portList,
  source: stringList('addresses'),
  sourceIP: stringList('addresses'),
  sourcePort: portList,
  user: stringList('users'),
  protocol: stringList('protocols'),
  attrs: {
    description: 'an object: of :method, :path or a header field of a plain HTTP request, which expression must hold',
    anyOf: [{ type: 'object', additionalProperties: { type: 'string' } }, { type: 'string' }],
  },
  outboundTag: { ...tag, description: 'The outbound that takes the session' },
  balancerTag: { ...tag, description: 'The balancer that picks the outbound' },
  ruleTag: { ...tag, description: 'Names the rule in logs' },
  domainMatcher: matcher,
}

const supportedInSection: ObjectSchema<RoutingSettings>['properties'] = {
  rules: {
    type: 'array',
    description: 'Tried in order: the first that matches wins',
    items: { type: 'object', additionalProperties: false, properties: { ...supportedInRules, ...unsupported(UNSUPPORTED_IN_RULES) } },
  },
  domainStrategy: {
    type: 'string',
    enum: DOMAIN_STRATEGIES,
    description: 'When a rule on addresses resolves the target\'s name',
    default: 'AsIs',
  },
  domainMatcher: matcher,
  balancers: { type: 'array', items: balancerSchema, description: 'Groups of outbounds of which one takes each session' },
}

export const routingSchema: ObjectSchema<RoutingSettings> = {
  type: 'object',
  additionalProperties: false,
  properties: { ...supportedInSection, ...unsupported(UNSUPPORTED_IN_SECTION) },
}

/** The values of a list in either form, without blanks around them and without empty ones. */
export function valuesOf(list: StringList): string[] {
  const parts = typeof list === 'string' ? list.split(',') : list
  return parts.map((part) => part.trim()).filter((part) => part !== '')
}
