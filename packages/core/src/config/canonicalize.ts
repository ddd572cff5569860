import type { JsonSchema } from '../definition/json-schema.js'
import type { Upgrade } from '../definition/define.js'
import type { Registry } from '../definition/registry.js'
import type { Fault } from '../errors/config-error.js'
import { under } from './check-config.js'
import type { PathSegment } from './config-path.js'
import type { Draft } from './draft.js'
import { inboundEnvelope, outboundEnvelope } from './envelope.js'
import { respell } from './respell.js'

interface Part {
  readonly schema: JsonSchema
  readonly upgrade?: Upgrade
}

/**
 * Brings a config into the one form that is checked: keys as the schemas spell them, and each section and protocol's settings as its
 * module's `upgrade` leaves them. What it does not understand stays for the check.
 */
export function canonicalize(draft: Draft, registry: Registry): Fault[] {
  const { root } = draft
  if (!isObject(root)) return []
  const { transport, features, inbounds, outbounds } = registry
  const sections = [...features].flatMap(([section, feature]) => part(draft, root[section], feature, [section]))
  return [
    ...sections,
    ...handlers(draft, 'inbounds', inboundEnvelope(transport.schema), inbounds),
    ...handlers(draft, 'outbounds', outboundEnvelope(transport.schema), outbounds),
  ]
}

function handlers(draft: Draft, key: string, envelope: JsonSchema, definitions: ReadonlyMap<string, Part>): Fault[] {
  const list = (draft.root as Record<string, unknown>)[key]
  if (!Array.isArray(list)) return []
  return list.flatMap((handler: unknown, index) => {
    if (!isObject(handler)) return []
    const faults = respell(draft, handler, envelope, [key, index])
    const definition = definitions.get(String(handler['protocol']))
    return definition === undefined ? faults : [...faults, ...part(draft, handler['settings'], definition, [key, index, 'settings'])]
  })
}

function part(draft: Draft, own: unknown, { schema, upgrade }: Part, at: readonly PathSegment[]): Fault[] {
  const faults = respell(draft, own, schema, at)
  if (upgrade === undefined || !isObject(own)) return faults
  return [...faults, ...upgrade(own, draft).map((item) => under(item, at))]
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
