import { fault, formatPath, parsePath, type Fault, type PathSegment } from '@sluice/core'
import type { ConfigDocument } from './config-document.js'
import { locateFaults } from './locate-faults.js'
import { isObject, type Loose } from './rewriting.js'

/** An inbound on more ports than this is more likely a slip than a wish. */
export const MAX_PORTS = 1_000

const RANGE = /^(\d{1,5})(?:-(\d{1,5}))?$/

/**
 * The same config with an inbound for each port, where one was written with a range or a list of them, as `1000-1010`. The first
 * keeps the tag and the others get the port behind it, as `in:1001`; rules that name the inbound name them all.
 */
export function expandPorts(document: ConfigDocument): ConfigDocument {
  const { config } = document
  if (!isObject(config) || !Array.isArray(config['inbounds'])) return document
  const inbounds = config['inbounds'].map((inbound: unknown, index) => ({ index, inbound, ports: portsOf(inbound) }))
  if (inbounds.every(({ ports }) => ports === undefined)) return document
  const expanded = inbounds.flatMap(({ index, inbound, ports }) =>
    (ports === undefined ? [inbound] : each(inbound as Loose, ports)).map((one) => ({ index, inbound: one })))
  const remarks = inbounds.flatMap(({ index, inbound, ports }) => ports === undefined ? [] : [remark(inbound as Loose, index, ports)])
  const tags = new Map(inbounds.flatMap(({ inbound, ports = [] }) => tagged(inbound, ports)))
  return new ExpandedDocument(document, {
    ...config, inbounds: expanded.map(({ inbound }) => inbound), ...withTags(config['routing'], tags),
  }, remarks, expanded.map(({ index }) => index))
}

/** The ports of a range or list, in order; `undefined` for a single port and for what is none. */
function portsOf(inbound: unknown): number[] | undefined {
  const port = isObject(inbound) ? inbound['port'] : undefined
  if (typeof port !== 'string' || !/[-,]/.test(port)) return undefined
  const matches = port.split(',').map((part) => RANGE.exec(part.trim()))
  const ranges = matches.map((match) => [Number(match?.[1]), Number(match?.[2] ?? match?.[1])] as const)
  if (!ranges.every(([from, to]) => from >= 1 && from <= to && to <= 65_535)) return undefined
  return [...new Set(ranges.flatMap(([from, to]) => Array.from({ length: to - from + 1 }, (_, offset) => from + offset)))]
}

function each(inbound: Loose, ports: readonly number[]): Loose[] {
  const { tag } = inbound
  // Of too many the first is enough, as that is an error.
  const taken = ports.slice(0, ports.length > MAX_PORTS ? 1 : MAX_PORTS)
  return taken.map((port, at) => ({ ...inbound, port, ...(at > 0 && isTag(tag) ? { tag: tagFor(tag, port) } : {}) }))
}

function remark({ tag }: Loose, index: number, ports: readonly number[]): Fault {
  const at = ['inbounds', index, 'port']
  if (ports.length > MAX_PORTS) return fault(at, `names ${ports.length} ports, at most ${MAX_PORTS} are taken`)
  const last = ports.at(-1) ?? 0
  const names = isTag(tag) && ports.length > 1 ? `, with the tags "${tag}" to "${tagFor(tag, last)}"` : ''
  return fault(at, `is read as ${ports.length} inbounds${names}`, { severity: 'notice' })
}

function tagged(inbound: unknown, ports: readonly number[]): [tag: string, all: string[]][] {
  const tag = isObject(inbound) ? inbound['tag'] : undefined
  if (!isTag(tag) || ports.length < 2 || ports.length > MAX_PORTS) return []
  return [[tag, ports.map((port, at) => at === 0 ? tag : tagFor(tag, port))]]
}

/** Rules that name an inbound name all that were made of it. */
function withTags(routing: unknown, tags: ReadonlyMap<string, readonly string[]>): Loose {
  if (!isObject(routing) || !Array.isArray(routing['rules'])) return {}
  const rules = routing['rules'].map((rule: unknown) => {
    const named = isObject(rule) ? rule['inboundTag'] : undefined
    const list: unknown = typeof named === 'string' ? named.split(',').map((tag) => tag.trim()) : named
    if (!Array.isArray(list) || !list.some((tag) => tags.has(String(tag)))) return rule
    return { ...rule as Loose, inboundTag: (list as unknown[]).flatMap((tag) => tags.get(String(tag)) ?? tag) }
  })
  return { routing: { ...routing, rules } }
}

function tagFor(tag: string, port: number): string {
  return `${tag}:${port}`
}

function isTag(tag: unknown): tag is string {
  return typeof tag === 'string' && tag !== ''
}

class ExpandedDocument implements ConfigDocument {
  readonly config: unknown
  readonly remarks: readonly Fault[]
  readonly text: string
  readonly file?: string
  readonly #document: ConfigDocument
  /** Which inbound of that document each of ours was made of. */
  readonly #origins: readonly number[]

  constructor(document: ConfigDocument, config: unknown, remarks: readonly Fault[], origins: readonly number[]) {
    this.config = config
    this.remarks = [...document.remarks, ...locateFaults(remarks, document)]
    this.text = document.text
    if (document.file !== undefined) this.file = document.file
    this.#document = document
    this.#origins = origins
  }

  locate(path: string, part?: 'key' | 'value'): ReturnType<ConfigDocument['locate']> {
    return this.#document.locate(this.source(path)?.path ?? path, part)
  }

  source(path: string): ReturnType<NonNullable<ConfigDocument['source']>> {
    try {
      const [section, index, ...rest] = parsePath(path)
      const origin = section === 'inbounds' && typeof index === 'number' ? this.#origins[index] : undefined
      const before: PathSegment[] = [section, index].filter((segment) => segment !== undefined)
      return { document: this.#document, path: formatPath(origin === undefined ? [...before, ...rest] : ['inbounds', origin, ...rest]) }
    } catch {
      // A module may write a path of its own making; its fault is told without a position.
      return undefined
    }
  }
}
