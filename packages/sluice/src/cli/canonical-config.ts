import { Draft, respell, type JsonSchema, type Module } from '@sluice/core'
import { modules } from '../modules.js'

type Loose = Record<string, unknown>

const MASK = '***'

/**
 * A normalized config in the one form that schemas describe: keys as they are spelt there, settings as the modules' `upgrade`
 * leaves them.
 *
 * @param masked Put stars in place of the secrets. @default false
 */
export function canonicalConfig(config: unknown, { masked = false }: { readonly masked?: boolean } = {}): unknown {
  const draft = new Draft(config)
  const { root } = draft
  if (!isObject(root)) return root
  for (const { holder, key, part } of partsOf(root)) {
    respell(draft, holder[key], part.schema, [])
    if (part.upgrade !== undefined && isObject(holder[key])) part.upgrade(holder[key], draft)
    if (masked) holder[key] = withoutSecrets(holder[key], part.schema)
  }
  return root
}

interface Part {
  readonly schema: JsonSchema
  readonly upgrade?: (settings: Loose, draft: Draft) => unknown
}

/** Everything in a config that some module has a schema for, and where it stands. */
function partsOf(root: Loose): { readonly holder: Loose, readonly key: string, readonly part: Part }[] {
  const features = modules.filter((module) => module.kind === 'feature').map((part) => ({ holder: root, key: part.section, part }))
  const handlers = (['inbound', 'outbound'] as const).flatMap((kind) => handlersOf(root[`${kind}s`]).flatMap((holder) => {
    const { protocol } = holder
    const serves = (module: Module): boolean => module.kind === 'transport' || (module.kind === kind && module.protocol === protocol)
    return modules.filter(serves).map((module) => ({
      holder, key: module.kind === 'transport' ? 'streamSettings' : 'settings', part: module as Part,
    }))
  }))
  return [...features, ...handlers].filter(({ holder, key }) => holder[key] !== undefined)
}

function withoutSecrets(value: unknown, schema: JsonSchema | undefined): unknown {
  if (schema === undefined) return value
  if (schema.writeOnly === true) return MASK
  if (Array.isArray(value)) return value.map((item: unknown) => withoutSecrets(item, schema.items))
  if (!isObject(value)) return value
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, withoutSecrets(inner, partOf(schema, key))]))
}

function partOf({ properties = {}, patternProperties = {}, additionalProperties }: JsonSchema, key: string): JsonSchema | undefined {
  if (Object.hasOwn(properties, key)) return properties[key]
  const pattern = Object.entries(patternProperties).find(([text]) => new RegExp(text).test(key))?.[1]
  return pattern ?? (typeof additionalProperties === 'object' ? additionalProperties : undefined)
}

function handlersOf(list: unknown): Loose[] {
  return Array.isArray(list) ? list.filter(isObject) : []
}

function isObject(value: unknown): value is Loose {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
