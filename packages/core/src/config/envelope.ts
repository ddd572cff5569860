import type { SniffingSettings } from '../contracts/sniffer.js'
import type { JsonSchema, ObjectSchema } from '../definition/json-schema.js'

const tag: JsonSchema = { type: 'string', description: 'Names the handler in rules, counters and logs; unique', default: '' }
const protocol: JsonSchema = { type: 'string', description: 'Which module serves it' }
// Their own schemas check the settings, once the protocol is known.
const settings: JsonSchema = { description: 'Settings of the protocol', default: {} }

/** A port as configs write it: a number, or the same as a string. */
export const portSchema: JsonSchema = {
  description: 'a port from 1 to 65535',
  anyOf: [
    { type: 'integer', minimum: 1, maximum: 65_535 },
    { type: 'string', pattern: '^0*([1-9]\\d{0,3}|[1-5]\\d{4}|6[0-4]\\d{3}|65[0-4]\\d{2}|655[0-2]\\d|6553[0-5])$' },
  ],
}

const listenPortSchema: JsonSchema = {
  description: 'a port from 0 to 65535 (0: any free one)',
  anyOf: [{ type: 'integer', minimum: 0, maximum: 65_535 }, { ...portSchema.anyOf?.[1] }],
}

const sniffing: ObjectSchema<SniffingSettings> = {
  type: 'object',
  description: 'Whether sessions are told by their first bytes: such a client is answered before its target is reached',
  additionalProperties: false,
  properties: {
    enabled: { type: 'boolean', default: false },
    destOverride: {
      type: 'array',
      description: 'Of which protocols the name inside takes the place of an address as target',
      items: { type: 'string', enum: ['http', 'tls', 'quic', 'fakedns', 'fakedns+others'] },
      default: [],
    },
    routeOnly: { type: 'boolean', description: 'Rules see the name, the outbound goes to the address', default: false },
    domainsExcluded: { type: 'array', description: 'Names that are never used', items: { type: 'string', minLength: 1 }, default: [] },
    ipsExcluded: {
      type: 'array', description: 'Addresses that no name takes the place of', items: { type: 'string', minLength: 1 }, default: [],
    },
    metadataOnly: { type: 'boolean', description: 'Look at nothing that the client sends: no session is sniffed', default: false },
  },
}

/** The schema of an inbound, whatever its protocol. */
export function inboundEnvelope(streamSettings: JsonSchema): JsonSchema {
  return {
    type: 'object',
    additionalProperties: false,
    required: ['protocol', 'port'],
    properties: {
      tag,
      protocol,
      settings,
      listen: { type: 'string', minLength: 1, description: 'IP address to listen on, or localhost', default: '127.0.0.1' },
      port: listenPortSchema,
      streamSettings,
      sniffing,
      maxConnections: {
        type: 'integer',
        minimum: 1,
        description: 'Clients connected at once; further ones are cut unheard, with a warning',
        default: 10_000,
      },
      allowOpen: { type: 'boolean', description: 'Let anybody in on a public address', default: false },
    },
  }
}

/** The schema of an outbound, whatever its protocol. */
export function outboundEnvelope(streamSettings: JsonSchema): JsonSchema {
  return {
    type: 'object',
    additionalProperties: false,
    required: ['protocol'],
    properties: {
      tag,
      protocol,
      settings,
      sendThrough: { type: 'string', minLength: 1, description: 'Local IP address to dial from' },
      streamSettings,
      proxySettings: {
        type: 'object',
        description: 'Dial through another outbound',
        additionalProperties: false,
        required: ['tag'],
        properties: { tag: { type: 'string', minLength: 1 } },
      },
    },
  }
}
