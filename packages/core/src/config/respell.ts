import type { JsonSchema } from '../definition/json-schema.js'
import { fault, type Fault } from '../errors/config-error.js'
import type { PathSegment } from './config-path.js'
import type { Draft } from './draft.js'

/**
 * Reads a part of a config as Go programs do: keys in whatever case, and one text with commas where the schema has a list of
 * texts. A key that also stands there in its right spelling stays as it is.
 *
 * @param at Where `value` stands in the draft.
 * @returns a notice for each key that was renamed.
 */
export function respell(draft: Draft, value: unknown, schema: JsonSchema, at: readonly PathSegment[]): Fault[] {
  if (Array.isArray(value)) {
    const { items } = schema
    return items === undefined ? [] : value.flatMap((item: unknown, index) => respell(draft, item, items, [...at, index]))
  }
  if (typeof value !== 'object' || value === null) return []
  const notices = Object.keys(value).flatMap((key) => respellKey(draft, value, key, schema, at))
  const inside = Object.entries(value).flatMap(([key, inner]: [string, unknown]) => {
    const part = partOf(schema, key)
    if (part === undefined) return []
    if (typeof inner === 'string' && part.type === 'array' && part.items?.type === 'string') draft.replace(value, key, splitList(inner))
    return respell(draft, inner, part, [...at, key])
  })
  return [...notices, ...inside]
}

function respellKey(draft: Draft, object: object, key: string, schema: JsonSchema, at: readonly PathSegment[]): Fault[] {
  if (partOf(schema, key) !== undefined) return []
  const right = Object.keys(schema.properties ?? {}).find((name) => name.toLowerCase() === key.toLowerCase())
  if (right === undefined || Object.hasOwn(object, right)) return []
  draft.rename(object, key, right)
  return [fault([...at, key], `is read as "${right}"`, { severity: 'notice' })]
}

function partOf({ properties = {}, patternProperties = {} }: JsonSchema, key: string): JsonSchema | undefined {
  if (Object.hasOwn(properties, key)) return properties[key]
  return Object.entries(patternProperties).find(([pattern]) => new RegExp(pattern).test(key))?.[1]
}

function splitList(text: string): string[] {
  return text.split(',').map((part) => part.trim()).filter((part) => part !== '')
}
