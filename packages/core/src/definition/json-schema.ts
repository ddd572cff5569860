/** A JSON Schema (draft-07) as ajv reads it. Docs and editor completion are made from the same objects. */
export interface JsonSchema {
  readonly type?: 'object' | 'array' | 'string' | 'number' | 'integer' | 'boolean'
  readonly description?: string
  readonly default?: unknown
  /** The value is a secret: it goes in and is never shown. */
  readonly writeOnly?: boolean
  readonly properties?: Readonly<Record<string, JsonSchema>>
  readonly patternProperties?: Readonly<Record<string, JsonSchema>>
  readonly additionalProperties?: boolean | JsonSchema
  readonly required?: readonly string[]
  readonly items?: JsonSchema
  readonly minItems?: number
  readonly maxItems?: number
  readonly enum?: readonly unknown[]
  readonly minimum?: number
  readonly maximum?: number
  readonly exclusiveMinimum?: number
  readonly minLength?: number
  readonly maxLength?: number
  readonly pattern?: string
  readonly anyOf?: readonly JsonSchema[]
}

/**
 * The schema of an object of type `T`: it names every key of `T` and no other, so that a setting which is added to the type and
 * forgotten in the schema does not compile, nor the other way round.
 */
export type ObjectSchema<T extends object> = Omit<JsonSchema, 'type' | 'additionalProperties' | 'properties'> & {
  readonly type: 'object'
  readonly additionalProperties: false
  readonly properties: { readonly [Key in keyof Required<T>]: JsonSchema }
}
