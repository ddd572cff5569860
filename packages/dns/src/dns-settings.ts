import { portSchema, type JsonSchema, type ObjectSchema } from '@sluice/core'

/** Which addresses are asked for: both families, or one. */
export const QUERY_STRATEGIES = ['UseIP', 'UseIPv4', 'UseIPv6'] as const

/** One of {@link QUERY_STRATEGIES}. */
export type QueryStrategy = (typeof QUERY_STRATEGIES)[number]

/** One server with what it is asked for. */
export interface DnsServerSettings {
  /** `8.8.8.8`, `localhost` (the system), `tcp://8.8.8.8`, `https://HOST/dns-query`, `https+local://HOST/dns-query`. */
  readonly address: string
  /** @default 53, or 443 for DoH */
  readonly port?: number | string
  /** Names for which this server goes before others, in the forms of a rule's `domain`. @default none */
  readonly domains?: readonly string[]
  /** Answers without one of these addresses are passed over, in the forms of a rule's `ip`. @default any */
  readonly expectIPs?: readonly string[]
  /** Ask it only for its `domains`. @default false */
  readonly skipFallback?: boolean
  /** @default that of the section */
  readonly queryStrategy?: QueryStrategy
  /** How long it may take to answer, in milliseconds. @default 4000 */
  readonly timeoutMs?: number
  /** Ignored: no server is told whose question it is. */
  readonly clientIp?: string
}

/** The section `dns`: who resolves names for rules on addresses and for outbounds that dial targets themselves. */
export interface DnsSettings {
  /** Addresses of names, or another name for them, by patterns as in rules; a plain one stands for exactly itself. */
  readonly hosts?: Readonly<Record<string, string | readonly string[]>>
  /** Asked in this order, those first whose `domains` hold the name. @default the system */
  readonly servers?: readonly (string | DnsServerSettings)[]
  /** @default UseIP */
  readonly queryStrategy?: QueryStrategy
  /** Ask anew each time. @default false */
  readonly disableCache?: boolean
  /** Ask only servers whose `domains` hold the name. @default false */
  readonly disableFallback?: boolean
  /** Ask no further server where one's `domains` hold the name. @default false */
  readonly disableFallbackIfMatch?: boolean
  /** Ignored: no server is told whose question it is. */
  readonly clientIp?: string
  /** Ignored: questions go straight to the servers, and no rule sees them. */
  readonly tag?: string
}

const text: JsonSchema = { type: 'string', minLength: 1 }
const texts: JsonSchema = { type: 'array', items: text }
const strategy: JsonSchema = { type: 'string', enum: QUERY_STRATEGIES, description: 'Which addresses are asked for' }

const server: ObjectSchema<DnsServerSettings> = {
  type: 'object',
  additionalProperties: false,
  required: ['address'],
  properties: {
    address: { ...text, description: 'IP address, localhost, tcp:// or https:// and an address' },
    port: portSchema,
    domains: { ...texts, description: 'Names for which it goes before others' },
    expectIPs: { ...texts, description: 'Addresses of which an answer must hold one' },
    skipFallback: { type: 'boolean', description: 'Ask it only for its domains', default: false },
    queryStrategy: strategy,
    timeoutMs: { type: 'integer', minimum: 1, maximum: 60_000, description: 'How long it may take to answer', default: 4_000 },
    clientIp: { ...text, description: 'Ignored' },
  },
}

export const dnsSchema: ObjectSchema<DnsSettings> = {
  type: 'object',
  additionalProperties: false,
  properties: {
    hosts: {
      type: 'object',
      description: 'Addresses of names, or another name for them',
      additionalProperties: { description: 'an address, a name, or a list of addresses', anyOf: [text, { ...texts, minItems: 1 }] },
    },
    servers: {
      type: 'array',
      description: 'Asked in this order; none: the system',
      items: { description: 'an address or an object', anyOf: [text, server] },
    },
    queryStrategy: { ...strategy, default: 'UseIP' },
    disableCache: { type: 'boolean', description: 'Ask anew each time', default: false },
    disableFallback: { type: 'boolean', description: 'Ask only servers whose domains hold the name', default: false },
    disableFallbackIfMatch: { type: 'boolean', description: 'Ask no further server where one\'s domains hold the name', default: false },
    clientIp: { ...text, description: 'Ignored' },
    tag: { ...text, description: 'Ignored' },
  },
}
