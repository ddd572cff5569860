import { fault, parsePath, type Fault, type PathSegment } from '@sluice/core'
import type { Node } from 'jsonc-parser'
import type { LineMap, Position } from './line-map.js'

/** A config together with the text that it was read from. */
export interface ConfigDocument {
  /** A value of plain objects, lists, texts, numbers, booleans and `null`. A key `__proto__` is an own property like any other. */
  readonly config: unknown
  /** Warnings about the text: keys that stand twice. */
  readonly remarks: readonly Fault[]
  /** What was read, for `formatCodeFrame`. */
  readonly text: string
  /** The file's name, for faults. */
  readonly file?: string
  /**
   * Where something stands, or the innermost of what it would be in, if it is missing.
   * @param path As `formatPath` of @sluice/core writes it; '' is the whole config.
   * @param part A property's key, or its value. @default value
   * @returns `undefined` for a path that cannot be read.
   */
  locate(path: string, part?: 'key' | 'value'): Position | undefined
  /** Where it came from, if this config was made from others: in which one it stands, and where in it. */
  source?(path: string): { readonly document: ConfigDocument, readonly path: string } | undefined
}

/** The document of a syntax tree. */
export class TreeDocument implements ConfigDocument {
  readonly config: unknown
  readonly remarks: readonly Fault[]
  readonly text: string
  readonly file?: string
  readonly #root: Node
  readonly #lines: LineMap

  constructor(text: string, root: Node, lines: LineMap, file: string | undefined) {
    this.text = text
    this.#root = root
    this.#lines = lines
    if (file !== undefined) this.file = file
    const remarks: Fault[] = []
    this.config = this.#valueOf(root, [], remarks)
    this.remarks = remarks
  }

  locate(path: string, part: 'key' | 'value' = 'value'): Position | undefined {
    const segments = segmentsOf(path)
    if (segments === undefined) return undefined
    let found = this.#root
    for (const segment of segments) {
      const next = childOf(found, segment)
      if (next === undefined) return this.#startOf(found)
      found = next
    }
    const key = found.parent?.type === 'property' ? found.parent.children?.[0] : undefined
    return this.#startOf(part === 'key' && key !== undefined ? key : found)
  }

  #startOf(node: Node): Position {
    return this.#lines.positionAt(node.offset)
  }

  #valueOf(node: Node, at: readonly PathSegment[], remarks: Fault[]): unknown {
    if (node.type === 'array') return (node.children ?? []).map((child, index) => this.#valueOf(child, [...at, index], remarks))
    if (node.type !== 'object') return node.value
    // Not an assignment, which would take the key __proto__ for the prototype.
    return Object.fromEntries(this.#entriesOf(node, at, remarks))
  }

  *#entriesOf(object: Node, at: readonly PathSegment[], remarks: Fault[]): Generator<readonly [string, unknown]> {
    const seen = new Map<string, Node>()
    for (const { children: [key, value] = [] } of object.children ?? []) {
      if (key === undefined || value === undefined) continue
      const name = key.value as string
      const earlier = seen.get(name)
      if (earlier !== undefined) {
        const message = `stands twice: this one counts, not the one of line ${this.#startOf(earlier).line}`
        const remark = fault([...at, name], message, { severity: 'warning' })
        remarks.push({ ...remark, ...this.#startOf(key), ...(this.file === undefined ? {} : { file: this.file }) })
      }
      seen.set(name, key)
      yield [name, this.#valueOf(value, [...at, name], remarks)]
    }
  }
}

/** The value of a property or entry. Of a property that stands twice, it is the last. */
function childOf(node: Node, segment: PathSegment): Node | undefined {
  if (node.type === 'array') return typeof segment === 'number' ? node.children?.[segment] : undefined
  if (node.type !== 'object') return undefined
  return node.children?.findLast(({ children: [key] = [] }) => key?.value === String(segment))?.children?.[1]
}

function segmentsOf(path: string): PathSegment[] | undefined {
  try {
    return parsePath(path)
  } catch {
    // A module may write a path of its own making; its fault is told without a position.
    return undefined
  }
}
