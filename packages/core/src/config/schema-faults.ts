import { Ajv, type ErrorObject } from 'ajv'
import type { JsonSchema } from '../definition/json-schema.js'
import { fault, type Fault } from '../errors/config-error.js'
import { printable } from '../errors/printable.js'
import type { PathSegment } from './config-path.js'
import { suggestion } from './suggest.js'

/** Checks values against JSON Schemas and says what is wrong in words. One per load, so that nothing is shared or kept. */
export class SchemaChecker {
  // A schema itself is checked where it is made, by its type and its tests: ajv's own check of it is two thirds of a start's time.
  readonly #ajv = new Ajv({ allErrors: true, verbose: true, allowUnionTypes: true, strict: true, validateSchema: false })

  /** All faults of a value; paths start with `at`. No fault repeats a value that may be a secret. */
  faults(schema: JsonSchema, value: unknown, at: readonly PathSegment[]): Fault[] {
    const validate = this.#ajv.compile(schema)
    if (validate(value)) return []
    return (validate.errors ?? []).filter(isTelling).map((error) =>
      describe(error, [...at, ...segmentsOf(error.instancePath, value)], isSecret(schema, error)))
  }
}

/** An `anyOf` is told by itself; what each of its branches missed only confuses. */
function isTelling(error: ErrorObject): boolean {
  return !/\/anyOf\/\d+\//.test(error.schemaPath)
}

/** A JSON pointer as path segments. Only the value tells an index of a list from a numeric key of an object. */
function segmentsOf(pointer: string, root: unknown): PathSegment[] {
  let value = root
  return pointerParts(pointer).map((name) => {
    const segment = Array.isArray(value) ? Number(name) : name
    value = (value as Record<PathSegment, unknown>)[segment]
    return segment
  })
}

/** A JSON pointer's parts (RFC 6901 §4). */
function pointerParts(pointer: string): string[] {
  return pointer.split('/').slice(1).map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))
}

/** Whether the schema, or any that it stands in, calls the value a secret (`writeOnly`). */
function isSecret(root: JsonSchema, { schemaPath }: ErrorObject): boolean {
  let schema: unknown = root
  for (const part of pointerParts(schemaPath)) {
    if ((schema as JsonSchema).writeOnly === true) return true
    schema = (schema as Record<string, unknown>)[decodeURIComponent(part)]
    if (typeof schema !== 'object' || schema === null) return false
  }
  return false
}

function describe(error: ErrorObject, at: PathSegment[], secret: boolean): Fault {
  const actual = secret ? '' : shown(error.data)
  const parent = error.parentSchema as unknown as JsonSchema | undefined
  switch (error.keyword) {
    case 'additionalProperties': {
      const key = String((error.params as { additionalProperty: string }).additionalProperty)
      return fault([...at, key], 'unknown key', parent?.patternProperties === undefined
        ? suggestion(key, Object.keys(parent?.properties ?? {}))
        : { hint: parent.description ?? 'no key of this form is allowed here' })
    }
    case 'required':
      return fault([...at, (error.params as { missingProperty: string }).missingProperty], 'missing')
    case 'enum':
      return fault(at, `must be one of ${(parent?.enum ?? []).map((value) => JSON.stringify(value)).join(', ')}${actual}`,
        typeof error.data === 'string' && !secret ? suggestion(error.data, (parent?.enum ?? []).map(String)) : {})
    case 'type':
      return fault(at, `must be ${article(String(error.params['type']))}, not ${kindOf(error.data)}`)
    case 'minLength':
      return fault(at, 'must not be empty')
    case 'minItems':
      return fault(at, `must have at least ${String(error.params['limit'])} ${error.params['limit'] === 1 ? 'entry' : 'entries'}`)
    case 'anyOf':
      return fault(at, parent?.description === undefined ? 'has none of the forms allowed here' : `must be ${parent.description}${actual}`)
    default:
      return fault(at, `${error.message ?? error.keyword}${actual}`)
  }
}

/** What stands there, if it is short. */
function shown(value: unknown): string {
  if (typeof value === 'number' || typeof value === 'boolean') return `, not ${String(value)}`
  if (typeof value === 'string' && value.length <= 40) return `, not "${printable(value)}"`
  return ''
}

function article(types: string): string {
  const words = types.split(',').map((type) => (/^[aio]/.test(type) ? `an ${type}` : `a ${type}`))
  return words.join(' or ')
}

function kindOf(value: unknown): string {
  if (value === null) return 'null'
  return article(Array.isArray(value) ? 'array' : typeof value)
}
