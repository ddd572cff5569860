import type { Fault } from '../errors/config-error.js'
import { fault } from '../errors/config-error.js'
import type { JsonSchema } from '../definition/json-schema.js'
import type { InboundDefinition, KnownTags, OutboundDefinition } from '../definition/define.js'
import type { Registry } from '../definition/registry.js'
import type { AnyInboundConfig, AnyOutboundConfig } from './config.js'
import { formatPath, type PathSegment } from './config-path.js'
import { inboundEnvelope, outboundEnvelope } from './envelope.js'
import { SchemaChecker } from './schema-faults.js'
import { suggestion } from './suggest.js'

type AnyHandler = AnyInboundConfig | AnyOutboundConfig
type At = readonly PathSegment[]

/** Finds every fault of a config that can be seen without making anything. */
export function checkConfig(config: unknown, registry: Registry): Fault[] {
  if (!isObject(config)) return [fault([], 'must be an object')]
  return new ConfigChecker(registry).check(config)
}

class ConfigChecker {
  readonly #registry: Registry
  readonly #schemas = new SchemaChecker()
  readonly #inboundEnvelope: JsonSchema
  readonly #outboundEnvelope: JsonSchema
  #known: KnownTags = { inbounds: new Set(), outbounds: new Set() }

  constructor(registry: Registry) {
    this.#registry = registry
    // One object each: a schema is compiled once per object, and a config may have thousands of handlers.
    this.#inboundEnvelope = inboundEnvelope(registry.transport.schema)
    this.#outboundEnvelope = outboundEnvelope(registry.transport.schema)
  }

  check(config: Record<string, unknown>): Fault[] {
    const inbounds = handlersOf<AnyInboundConfig>(config['inbounds'])
    const outbounds = handlersOf<AnyOutboundConfig>(config['outbounds'])
    this.#known = { inbounds: tagsOf(inbounds), outbounds: tagsOf(outbounds) }
    return [
      ...this.#sections(config),
      ...listFaults(config, 'inbounds'),
      ...inbounds.flatMap(([index, inbound]) => this.#inbound(inbound, ['inbounds', index])),
      ...duplicateTags(inbounds, 'inbounds'),
      ...listFaults(config, 'outbounds'),
      ...outbounds.flatMap(([index, outbound]) => this.#outbound(outbound, ['outbounds', index])),
      ...duplicateTags(outbounds, 'outbounds'),
      ...chainFaults(outbounds),
    ]
  }

  #sections(config: Record<string, unknown>): Fault[] {
    const names = ['inbounds', 'outbounds', ...this.#registry.features.keys()]
    return Object.keys(config).filter((key) => key !== 'inbounds' && key !== 'outbounds').flatMap((key) => {
      const feature = this.#registry.features.get(key)
      if (feature === undefined) return [fault([key], 'unknown key', suggestion(key, names))]
      return this.#part(feature, config[key], [key])
    })
  }

  #inbound(inbound: AnyInboundConfig, at: At): Fault[] {
    const faults = this.#schemas.faults(this.#inboundEnvelope, inbound, at)
    const definition = definitionOf<InboundDefinition>(inbound, this.#registry.inbounds, at, faults)
    if (definition === undefined) return faults
    const inside = this.#part(definition, inbound.settings ?? {}, [...at, 'settings'])
    faults.push(...inside, ...sniffingFaults(inbound, at))
    if (!inside.some(({ severity }) => severity === 'error') && isOpenToAll(inbound, definition)) {
      const message = `would let anybody use this proxy: ${inbound.listen} is public and there are no accounts`
      faults.push(fault([...at, 'listen'], message, { hint: 'add accounts, listen on 127.0.0.1, or say "allowOpen": true' }))
    }
    return faults
  }

  #outbound(outbound: AnyOutboundConfig, at: At): Fault[] {
    const faults = this.#schemas.faults(this.#outboundEnvelope, outbound, at)
    const definition = definitionOf<OutboundDefinition>(outbound, this.#registry.outbounds, at, faults)
    if (definition !== undefined) faults.push(...this.#part(definition, outbound.settings ?? {}, [...at, 'settings']))
    if (!faults.some(({ severity }) => severity === 'error')) faults.push(...this.#stream(outbound, at))
    const through = outbound.proxySettings?.tag
    if (typeof through === 'string' && !this.#known.outbounds.has(through)) {
      const message = `no outbound has the tag "${through}"`
      faults.push(fault([...at, 'proxySettings', 'tag'], message, suggestion(through, this.#known.outbounds)))
    }
    return faults
  }

  #stream({ streamSettings = {} }: AnyOutboundConfig, at: At): Fault[] {
    const faults = this.#registry.transport.checkOutbound?.(streamSettings) ?? []
    return faults.map((item) => under(item, [...at, 'streamSettings']))
  }

  /** A module's own part: first its schema, then its own check, which may rely on the types. */
  #part(definition: Pick<InboundDefinition, 'schema' | 'check'>, value: unknown, at: At): Fault[] {
    const faults = this.#schemas.faults(definition.schema, value, at)
    if (faults.length > 0 || definition.check === undefined) return faults
    return definition.check(value, this.#known).map((item) => under(item, at))
  }
}

/** The same fault, seen from further up. */
export function under(item: Fault, at: At): Fault {
  const prefix = formatPath(at)
  const separator = prefix === '' || item.path === '' || item.path.startsWith('[') ? '' : '.'
  return { ...item, path: `${prefix}${separator}${item.path}` }
}

function definitionOf<T>(handler: AnyHandler, definitions: ReadonlyMap<string, T>, at: At, faults: Fault[]): T | undefined {
  const { protocol } = handler
  if (typeof protocol !== 'string') return undefined
  const definition = definitions.get(protocol)
  if (definition === undefined) {
    const known = [...definitions.keys()]
    const { hint = `known are ${known.map((name) => `"${name}"`).join(', ')}` } = suggestion(protocol, known)
    faults.push(fault([...at, 'protocol'], `unknown protocol "${protocol}"`, { hint }))
  }
  return definition
}

/** Said of what was switched on, and once. */
function sniffingFaults({ sniffing }: AnyInboundConfig, at: At): Fault[] {
  if (!isObject(sniffing) || sniffing.enabled !== true || !Array.isArray(sniffing.destOverride)) return []
  const unknown = sniffing.destOverride.filter((protocol) => protocol !== 'http' && protocol !== 'tls')
  if (unknown.length === 0) return []
  const message = `only "http" and "tls" are recognised, not ${unknown.map((protocol) => `"${protocol}"`).join(', ')}`
  return [fault([...at, 'sniffing', 'destOverride'], message, { severity: 'warning' })]
}

function isOpenToAll(inbound: AnyInboundConfig, definition: InboundDefinition): boolean {
  const { listen = '127.0.0.1', allowOpen = false, settings = {} } = inbound
  return allowOpen !== true && typeof listen === 'string' && !isLoopback(listen) && !definition.authenticates(settings)
}

function isLoopback(listen: string): boolean {
  return listen === 'localhost' || listen === '::1' || /^127\.\d+\.\d+\.\d+$/.test(listen)
}

function listFaults(config: Record<string, unknown>, key: string): Fault[] {
  const list = config[key]
  if (list === undefined) return []
  if (!Array.isArray(list)) return [fault([key], 'must be a list')]
  return list.flatMap((item: unknown, index) => (isObject(item) ? [] : [fault([key, index], 'must be an object')]))
}

type Indexed<T> = readonly [index: number, handler: T]

/** The handlers of a list that can be looked at further, each with its index; what else stands there, `listFaults` tells. */
function handlersOf<T>(list: unknown): Indexed<T>[] {
  return Array.isArray(list) ? [...list.entries()].filter(([, item]) => isObject(item)) as Indexed<T>[] : []
}

function tagsOf(handlers: readonly Indexed<AnyHandler>[]): Set<string> {
  return new Set(handlers.map(([, { tag }]) => tag).filter((tag): tag is string => typeof tag === 'string' && tag !== ''))
}

function duplicateTags(handlers: readonly Indexed<AnyHandler>[], key: string): Fault[] {
  const first = new Map<string, number>()
  return handlers.flatMap(([index, { tag }]) => {
    if (typeof tag !== 'string' || tag === '') return []
    const earlier = first.get(tag)
    if (earlier !== undefined) return [fault([key, index, 'tag'], `"${tag}" is the tag of ${key}[${earlier}] already`)]
    first.set(tag, index)
    return []
  })
}

/** Outbounds that are dialled through each other in a circle would dial for ever. */
function chainFaults(outbounds: readonly Indexed<AnyOutboundConfig>[]): Fault[] {
  const next = new Map(outbounds.map(([, { tag, proxySettings }]) => [tag, proxySettings?.tag]))
  return outbounds.flatMap(([index, { tag }]) => {
    const way = new Set<string>()
    let at = tag
    for (; at !== undefined && at !== '' && !way.has(at); at = next.get(at)) way.add(at)
    // Who only leads into a circle is told nothing: its members are.
    if (at === undefined || at !== tag || at === '') return []
    return [fault(['outbounds', index, 'proxySettings', 'tag'], `goes round in a circle: ${[...way, at].join(' → ')}`)]
  })
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
