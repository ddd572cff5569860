import { describe, expect, it } from 'vitest'
import { SchemaChecker } from '../src/config/schema-faults.js'
import { formatFault, portSchema, type JsonSchema } from '../src/index.js'

const lines = (schema: JsonSchema, value: unknown): string[] => new SchemaChecker().faults(schema, value, ['at']).map(formatFault)

const object = (properties: Record<string, JsonSchema>, more: JsonSchema = {}): JsonSchema =>
  ({ type: 'object', additionalProperties: false, properties, ...more })

describe('SchemaChecker.faults()', () => {
  it('finds nothing wrong with what fits', () => {
    expect(lines(object({ a: { type: 'string' } }, { required: ['a'] }), { a: 'x' })).toEqual([])
  })

  it.each<[string, JsonSchema, unknown, string]>([
    ['an unknown key', object({ port: {} }), { prot: 1 }, 'at.prot: unknown key (did you mean "port"?)'],
    ['an unknown key like no other', object({ port: {} }), { x: 1 }, 'at.x: unknown key'],
    ['a key of no allowed form', { type: 'object', description: 'keys are numbers', patternProperties: { '^\\d$': {} }, additionalProperties: false },
      { x: 1 }, 'at.x: unknown key (keys are numbers)'],
    ['a key of no allowed form and without words for it', { type: 'object', patternProperties: { '^\\d$': {} }, additionalProperties: false },
      { x: 1 }, 'at.x: unknown key (no key of this form is allowed here)'],
    ['a missing key', object({ a: {} }, { required: ['a'] }), {}, 'at.a: missing'],
    ['a wrong type', object({ a: { type: 'string' } }), { a: 5 }, 'at.a: must be a string, not a number'],
    ['null', object({ a: { type: 'integer' } }), { a: null }, 'at.a: must be an integer, not null'],
    ['a list', object({ a: { type: 'object' } }), { a: [] }, 'at.a: must be an object, not an array'],
    ['a value of no kind allowed', object({ a: { type: 'string', enum: ['tcp', 'udp'] } }), { a: 'tpc' },
      'at.a: must be one of "tcp", "udp", not "tpc" (did you mean "tcp"?)'],
    ['a number that is none of those', object({ a: { type: 'integer', enum: [1, 2] } }), { a: 3 }, 'at.a: must be one of 1, 2, not 3'],
    ['an empty text', object({ a: { type: 'string', minLength: 1 } }), { a: '' }, 'at.a: must not be empty'],
    ['an empty list', object({ a: { type: 'array', minItems: 1 } }), { a: [] }, 'at.a: must have at least 1 entry'],
    ['too short a list', object({ a: { type: 'array', minItems: 2 } }), { a: [1] }, 'at.a: must have at least 2 entries'],
    ['none of several forms', object({ port: portSchema }), { port: 70_000 }, 'at.port: must be a port from 1 to 65535, not 70000'],
    ['none of several forms without words for them', object({ a: { anyOf: [{ type: 'string' }, { type: 'integer' }] } }), { a: true }, 'at.a: has none of the forms allowed here'],
    ['a number below its bound', object({ a: { type: 'number', minimum: 0 } }), { a: -1 }, 'at.a: must be >= 0, not -1'],
    ['a text of the wrong form', object({ a: { type: 'string', pattern: '^x' } }), { a: 'y\u001b[1m' }, 'at.a: must match pattern "^x", not "y?[1m"'],
    ['an infinite number', object({ a: { type: 'number' } }), { a: Number.POSITIVE_INFINITY }, 'at.a: must be a number, not a number'],
  ])('tells %s', (_, schema, value, line) => {
    expect(lines(schema, value)).toEqual([line])
  })

  it('tells all faults, and places those in lists by index and those under numeric names by name', () => {
    const schema = object({ list: { type: 'array', items: { type: 'integer' } }, map: { type: 'object', additionalProperties: { type: 'integer' } } })
    expect(lines(schema, { list: [1, 'x', true], map: { 0: 'x', 'a/b~c': 'x' } })).toEqual([
      'at.list[1]: must be an integer, not a string',
      'at.list[2]: must be an integer, not a boolean',
      'at.map["0"]: must be an integer, not a string',
      'at.map["a/b~c"]: must be an integer, not a string',
    ])
  })

  it('quotes no long text', () => {
    expect(lines(object({ a: { type: 'string', pattern: '^x' } }), { a: 'y'.repeat(41) })).toEqual(['at.a: must match pattern "^x"'])
  })

  const secretForms: readonly [string, JsonSchema][] = [
    ['a text', { type: 'string', pattern: '^[0-9]+$', writeOnly: true }],
    ['one of several', { type: 'string', enum: ['hunter1', 'hunter3'], writeOnly: true }],
    ['forms', { anyOf: [{ type: 'string', pattern: '^[0-9]+$' }, { type: 'integer' }], description: 'a secret', writeOnly: true }],
    ['the entry of a secret list', { type: 'array', items: { type: 'string', pattern: '^[0-9]+$' }, writeOnly: true }],
    ['the value of a secret map', { type: 'object', additionalProperties: { type: 'string', pattern: '^[0-9]+$' }, writeOnly: true }],
    ['the value of a map with a slash in its name', { type: 'object', properties: { 'a/b%': { type: 'string', pattern: '^[0-9]+$', writeOnly: true } } }],
  ]

  it.each(secretForms)('never quotes a secret: %s', (_, secret) => {
    const values = ['hunter2', ['hunter2'], { a: 'hunter2' }, { 'a/b%': 'hunter2' }]
    const told = values.flatMap((value) => lines(object({ pass: secret }), { pass: value }))
    expect(told.length).toBeGreaterThanOrEqual(values.length - 1)
    expect(told.join('\n')).not.toMatch(/hunter2|did you mean/)
  })

  it('knows the name writeOnly of a setting from the mark', () => {
    const schema = object({ writeOnly: { type: 'string', pattern: '^x' } })
    expect(lines(schema, { writeOnly: 'y' })).toEqual(['at.writeOnly: must match pattern "^x", not "y"'])
  })
})
