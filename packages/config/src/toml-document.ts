import { fault, type Fault } from '@sluice/core'
import { parse, TomlError } from 'smol-toml'
import type { ConfigDocument } from './config-document.js'
import { MAX_DEPTH } from './syntax-faults.js'

/** The document of a TOML text, in which nothing has a line: faults are told by their paths. */
export class TomlDocument implements ConfigDocument {
  readonly config: unknown
  readonly remarks: readonly Fault[] = []
  readonly text: string
  readonly file?: string

  constructor(text: string, config: unknown, file: string | undefined) {
    this.text = text
    this.config = config
    if (file !== undefined) this.file = file
  }

  locate(): undefined {
    return undefined
  }
}

/** A TOML text as plain values, or its first fault. */
export function parseToml(text: string): { readonly config: unknown } | { readonly faults: readonly Fault[] } {
  try {
    return { config: plain(parse(text, { maxDepth: MAX_DEPTH })) }
  } catch (error) {
    if (!(error instanceof TomlError)) throw error
    // What follows the first line shows the text, which may hold secrets.
    const message = error.message.split('\n', 1)[0]?.replace(/^Invalid TOML document: /, '') ?? 'not TOML'
    return { faults: [{ ...fault([], message), line: error.line, column: error.column }] }
  }
}

/** Dates are texts here, and tables have the prototype of other objects. */
function plain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plain)
  if (value instanceof Date) return value.toISOString()
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, plain(inner)]))
}
