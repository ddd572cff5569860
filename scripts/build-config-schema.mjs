/** The JSON Schema of a whole config, put together from the schemas of all modules that ship. Reads what the build made. */
import { inboundEnvelope, outboundEnvelope } from '../packages/core/dist/config/envelope.js'
import { modules } from '../packages/sluice/dist/modules.js'

/** What files may say beyond what an instance is given: environment variables, and several ports in place of one. */
const LISTEN_PORT_FORMS = [
  { type: 'string', pattern: '^env:.+$', description: 'env:NAME: the value of an environment variable' },
  { type: 'string', pattern: '^\\s*\\d{1,5}(\\s*[-,]\\s*\\d{1,5})+\\s*$', description: 'ports and ranges, as "53,1000-1010"' },
]

const STREAM = { $ref: '#/definitions/streamSettings' }

export function buildConfigSchema() {
  const transport = modules.find(({ kind }) => kind === 'transport')
  const definitions = { streamSettings: transport.schema }
  const handlers = (kind, envelope) => {
    const served = modules.filter((module) => module.kind === kind).sort((a, b) => (a.protocol < b.protocol ? -1 : 1))
    for (const { protocol, schema } of served) definitions[`${kind}.${protocol}`] = schema
    const { protocol: described, ...properties } = envelope.properties
    return {
      type: 'array',
      items: {
        ...envelope,
        properties: { protocol: { ...described, enum: served.map(({ protocol }) => protocol) }, ...properties },
        allOf: served.map(({ protocol, schema }) => ({
          if: { required: ['protocol'], properties: { protocol: { const: protocol } } },
          // A word of JSON Schema, and nobody awaits it.
          // oxlint-disable-next-line unicorn/no-thenable
          then: {
            ...((schema.required ?? []).length > 0 ? { required: ['settings'] } : {}),
            properties: { settings: { $ref: `#/definitions/${kind}.${protocol}` } },
          },
        })),
      },
    }
  }
  const inbound = inboundEnvelope(STREAM)
  const { port } = inbound.properties
  const ports = { ...port, description: `${port.description}, several of them, or env:NAME`, anyOf: [...port.anyOf, ...LISTEN_PORT_FORMS] }
  const sections = modules.filter(({ kind }) => kind === 'feature').map(({ section, schema }) => [section, schema])
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'Sluice config',
    description: 'What a config holds in its canonical form; docs/config.md has the same in words, and the forms that are read beside it',
    type: 'object',
    additionalProperties: false,
    properties: {
      $schema: { type: 'string', description: 'For editors: where this schema is' },
      inbounds: {
        ...handlers('inbound', { ...inbound, properties: { ...inbound.properties, port: ports } }),
        description: 'What listens for clients',
      },
      outbounds: {
        ...handlers('outbound', outboundEnvelope(STREAM)),
        description: 'Where sessions go; the first takes every session that no rule takes',
      },
      ...Object.fromEntries(sections),
    },
    definitions,
  }
}
