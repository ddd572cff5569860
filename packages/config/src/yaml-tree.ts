import { fault, type Fault } from '@sluice/core'
import type { Node } from 'jsonc-parser'
import { isAlias, isMap, isScalar, isSeq, parseDocument, type Document, type ErrorCode, type YAMLError } from 'yaml'
import type { LineMap } from './line-map.js'
import { MAX_DEPTH } from './syntax-faults.js'

/** Far above any real config; an alias of an alias of an alias is a small file that would fill the memory. */
const MAX_NODES = 100_000

const TEXTS: Readonly<Partial<Record<ErrorCode, readonly [message: string, hint?: string]>>> = {
  BAD_DIRECTIVE: ['unknown directive'],
  BAD_DQ_ESCAPE: ['unknown escape in a text', 'write \\\\ for a backslash, or use single quotes'],
  BAD_INDENT: ['wrong indentation'],
  BAD_SCALAR_START: ['a text that starts like this stands in quotes'],
  BLOCK_AS_IMPLICIT_KEY: ['unexpected ":" below this', 'the indentation is wrong, or a text with ": " in it lacks its quotes'],
  BLOCK_IN_FLOW: ['a block cannot stand in brackets'],
  MISSING_CHAR: ['a blank, comma, quote or bracket is missing'],
  MULTILINE_IMPLICIT_KEY: ['expected a colon behind the name'],
  MULTIPLE_DOCS: ['content behind the config', 'one file holds one document'],
  TAB_AS_INDENT: ['a tab cannot indent', 'use blanks'],
  TAG_RESOLVE_FAILED: ['unknown tag'],
  UNEXPECTED_TOKEN: ['unexpected here'],
}

/** A YAML text as the tree that JSON texts have, or the faults of its syntax. */
export function parseYamlTree(text: string, lines: LineMap): { readonly root: Node } | { readonly faults: readonly Fault[] } {
  try {
    // A key that stands twice is a remark, in YAML as in JSON.
    const document = parseDocument(text, { uniqueKeys: false, prettyErrors: false, logLevel: 'error', strict: true })
    if (document.errors.length > 0) return { faults: withoutEchoes(document.errors).map((error) => describe(error, lines)) }
    if (document.contents === null) return { faults: [{ ...fault([], 'is empty'), ...lines.positionAt(0) }] }
    return { root: new TreeBuilder(document).build() }
  } catch (error) {
    if (error instanceof Unreadable) return { faults: [{ ...fault([], error.message), ...lines.positionAt(error.offset) }] }
    // The library calls itself for each level.
    if (error instanceof RangeError) return { faults: [fault([], `more than ${MAX_DEPTH} levels deep`)] }
    throw error
  }
}

/** Of several errors at one place the first tells most. */
function withoutEchoes(errors: readonly YAMLError[]): YAMLError[] {
  return errors.filter(({ pos: [offset] }, index) => errors.findIndex((error) => error.pos[0] === offset) === index)
}

/** Never a word of the text itself, which may be a secret. */
function describe({ code, pos: [offset] }: YAMLError, lines: LineMap): Fault {
  const [message, hint] = TEXTS[code] ?? ['not YAML']
  return { ...fault([], message, hint === undefined ? {} : { hint }), ...lines.positionAt(offset) }
}

class Unreadable extends Error {
  readonly offset: number

  constructor(message: string, offset: number) {
    super(message)
    this.offset = offset
  }
}

class TreeBuilder {
  readonly #document: Document
  /** To resolve an alias is to walk through the document. */
  readonly #targets = new Map<unknown, unknown>()
  #nodes = 0

  constructor(document: Document) {
    this.#document = document
  }

  build(): Node {
    return this.#node(this.#document.contents, 0, 0)
  }

  /** What an alias stands for is told where it was written. */
  #node(source: unknown, above: number, depth: number, parent?: Node): Node {
    const range = (source as { range?: readonly number[] | null } | null)?.range
    const offset = range?.[0] ?? above
    if (depth > MAX_DEPTH) throw new Unreadable(`more than ${MAX_DEPTH} levels deep`, offset)
    if (++this.#nodes > MAX_NODES) throw new Unreadable(`more than ${MAX_NODES} values`, offset)
    const place = { offset, length: Math.max(0, (range?.[1] ?? offset) - offset), ...(parent === undefined ? {} : { parent }) }
    if (isAlias(source)) {
      const target = this.#targets.get(source) ?? source.resolve(this.#document)
      if (target === undefined) throw new Unreadable('alias of an anchor that does not stand before it', offset)
      this.#targets.set(source, target)
      return this.#node(target, offset, depth + 1, parent)
    }
    if (isMap(source)) {
      const node: Node = { ...place, type: 'object', children: [] }
      for (const { key, value } of source.items) node.children?.push(this.#property(key, value, offset, depth, node))
      return node
    }
    if (isSeq(source)) {
      const node: Node = { ...place, type: 'array', children: [] }
      for (const item of source.items) node.children?.push(this.#node(item, offset, depth + 1, node))
      return node
    }
    return scalar(place, isScalar(source) ? source.value : null)
  }

  #property(key: unknown, value: unknown, above: number, depth: number, parent: Node): Node {
    const name = this.#node(key, above, depth + 1)
    const { offset, length } = name
    const node: Node = { type: 'property', offset, length, parent, children: [] }
    // JSON has names of texts only: `0: …` is the name "0".
    const text: Node = { offset, length, type: 'string', value: String(name.value ?? ''), parent: node }
    node.children?.push(text, this.#node(value, offset, depth + 1, node))
    return node
  }
}

function scalar(place: Pick<Node, 'offset' | 'length'>, value: unknown): Node {
  if (value === null || value === undefined) return { ...place, type: 'null', value: null }
  if (typeof value === 'boolean') return { ...place, type: 'boolean', value }
  if (typeof value === 'number') return { ...place, type: 'number', value }
  return { ...place, type: 'string', value: String(value) }
}
