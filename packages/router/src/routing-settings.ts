import type { JsonSchema, ObjectSchema } from '@sluice/core'

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
  /** The outbound that takes the session. */
  readonly outboundTag?: string
  /** Names the rule in logs. @default rules[INDEX] */
  readonly ruleTag?: string
  /** Accepted without effect: it changes only how v2ray stores names. */
  readonly domainMatcher?: string
}

/** The section `routing`. */
export interface RoutingSettings {
  /** Tried in order: the first that matches wins. What none matches goes to the first outbound. */
  readonly rules?: readonly RoutingRule[]
  /** When a rule by address resolves a name; there are no such rules yet, so it has no effect. @default AsIs */
  readonly domainStrategy?: 'AsIs' | 'IPIfNonMatch' | 'IPOnDemand'
  /** Accepted without effect: it changes only how v2ray stores names. */
  readonly domainMatcher?: string
  /** Must be empty for now. */
  readonly balancers?: readonly never[]
}

/** Conditions and targets that people's rules hold and that are not built yet. To leave one out would make a rule wider. */
export const UNSUPPORTED_IN_RULES = [
  'domain', 'domains', 'ip', 'port', 'source', 'sourceIP', 'sourcePort', 'user', 'protocol', 'attrs', 'balancerTag',
  'process', 'localIP', 'localPort', 'localOS', 'vlessRoute', 'webhook',
] as const

/** The section's older form, in which rules stand one level deeper. */
export const UNSUPPORTED_IN_SECTION = ['settings', 'strategy'] as const

const unsupported = (names: readonly string[]): Record<string, JsonSchema> =>
  Object.fromEntries(names.map((name) => [name, { description: 'Not supported yet' }]))

const stringList = (description: string): JsonSchema => ({
  description,
  anyOf: [{ type: 'string' }, { type: 'array', items: { type: 'string' } }],
})

const matcher: JsonSchema = { type: 'string', enum: ['linear', 'mph', 'hybrid'], description: 'Has no effect here' }

const supportedInRules: ObjectSchema<RoutingRule>['properties'] = {
  type: { type: 'string', enum: ['field'], default: 'field' },
  inboundTag: stringList('a list of tags, or one text with commas between them'),
  network: stringList('a list of "tcp" and "udp", or one text with a comma between them'),
  outboundTag: { type: 'string', description: 'The outbound that takes the session' },
  ruleTag: { type: 'string', minLength: 1, description: 'Names the rule in logs' },
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
    enum: ['AsIs', 'IPIfNonMatch', 'IPOnDemand'],
    description: 'When a rule by address resolves a name; without effect until there are such rules',
    default: 'AsIs',
  },
  domainMatcher: matcher,
  balancers: { type: 'array', description: 'Not supported yet' },
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
