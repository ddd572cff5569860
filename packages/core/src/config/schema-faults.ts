import { Ajv, type ErrorObject } from 'ajv'
import type { JsonSchema } from '../definition/json-schema.js'
import { fault, type Fault } from '../errors/config-error.js'
import { printable } from '../errors/printable.js'
import type { PathSegment } from './config-path.js'
import { suggestion } from './suggest.js'

/** Checks values against JSON Schemas and says what is wrong in words. One per load, so that nothing is shared or kept. */
export class SchemaChecker {
  readonly #ajv = new Ajv({ allErrors: true, verbose: true, allowUnionTypes: true, strict: true })

  /** All faults of a value; paths start with `at`. No fault repeats a value that may be a secret. */
  faults(schema: JsonSchema, value: unknown, at: readonly PathSegment[]): Fault[] {
    const validate = this.#ajv.compile(schema)
    if (validate(value)) return []
    return (validate.errors ?? []).filter(isTelling).map((error) => describe(error, [...at, ...segmentsOf(error.instancePath, value)]))
  }
}

/** An `anyOf` is told by itself; what each of its branches missed only confuses. */
function isTelling(error: ErrorObject): boolean {
  return !/\/anyOf\/\d+\//.test(error.schemaPath)
}

/** A JSON pointer's parts. Only the value tells an index of a list from a numeric key of an object. */
function segmentsOf(pointer: string, root: unknown): PathSegment[] {
  let value = root
  return pointer.split('/').slice(1).map((part) => {
    const name = part.replaceAll('~1', '/').replaceAll('~0', '~')
    const segment = Array.isArray(value) ? Number(name) : name
    value = (value as Record<PathSegment, unknown>)[segment]
    return segment
  })
}

function describe(error: ErrorObject, at: PathSegment[]): Fault {
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
      return fault(at, `must be one of ${(parent?.enum ?? []).map((value) => JSON.stringify(value)).join(', ')}${actual(error)}`,
        typeof error.data === 'string' ? suggestion(error.data, (parent?.enum ?? []).map(String)) : {})
    case 'type':
      return fault(at, `must be ${article(String(error.params['type']))}, not ${kindOf(error.data)}`)
    case 'minLength':
      return fault(at, 'must not be empty')
    case 'minItems':
      return fault(at, `must have at least ${String(error.params['limit'])} ${error.params['limit'] === 1 ? 'entry' : 'entries'}`)
    case 'anyOf':
      return fault(at, parent?.description === undefined ? 'has none of the forms allowed here' : `must be ${parent.description}${actual(error)}`)
    default:
      return fault(at, `${error.message ?? error.keyword}${actual(error)}`)
  }
}

/** Shows what stands there, if it is short and the schema does not call it a secret (`writeOnly`). */
function actual({ data: value, parentSchema }: ErrorObject): string {
  if ((parentSchema as unknown as JsonSchema | undefined)?.writeOnly === true) return ''
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
