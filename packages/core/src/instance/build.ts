import type { AnyInboundConfig, AnyOutboundConfig } from '../config/config.js'
import { canonicalize } from '../config/canonicalize.js'
import { checkConfig, under } from '../config/check-config.js'
import { formatPath, parsePath, type PathSegment } from '../config/config-path.js'
import { Draft } from '../config/draft.js'
import type { Endpoint } from '../contracts/destination.js'
import type { Feature } from '../contracts/features.js'
import type { Construction, FeatureDefinition } from '../definition/define.js'
import type { Registry } from '../definition/registry.js'
import { Scope, describeToken, needsOf, type Token } from '../di.js'
import { ConfigError, fault, isConfigError, type Fault } from '../errors/config-error.js'
import { InstanceEvents } from '../events.js'
import {
  DIALER_FACTORY, EVENTS, INBOUND_PARTS, LISTENER_FACTORY, LIVE_SESSIONS, OUTBOUND_MANAGER, OWN_ADDRESSES, POLICY_MANAGER, RESOLVER, ROUTER,
  SETTINGS, STATS_MANAGER, TAG,
} from '../tokens.js'
import { Dispatcher } from './dispatcher.js'
import { RegisteredInboundParts, type MakeInbound } from './inbound-parts.js'
import { InboundHandler } from './inbound-handler.js'
import { KnownListeners } from './known-listeners.js'
import { defaultPolicies, noResolver, noRules, noStats } from './null-features.js'
import { DialingOutboundHandler, Outbounds } from './outbounds.js'
import { SessionTable } from './session-table.js'

/** Everything that an instance consists of, made and not yet started. */
export interface Parts {
  readonly scope: Scope
  readonly events: InstanceEvents
  readonly sessions: SessionTable
  readonly features: readonly Feature[]
  readonly outbounds: Outbounds
  readonly inbounds: readonly InboundHandler[]
  readonly dispatcher: Dispatcher
  /** What the config says in vain, or in a way that is read differently. */
  readonly remarks: readonly Fault[]
}

type At = readonly PathSegment[]

interface LooseConfig extends Readonly<Record<string, unknown>> {
  readonly inbounds?: readonly AnyInboundConfig[]
  readonly outbounds?: readonly AnyOutboundConfig[]
}

/**
 * Checks a config and makes an instance's parts from it. Opens no socket.
 * @throws {ConfigError} with every fault at once.
 */
export function build(config: unknown, registry: Registry): Parts {
  const draft = new Draft(config)
  const remarks = asWritten([...canonicalize(draft, registry), ...checkConfig(draft.root, registry)], draft)
  if (remarks.some(({ severity }) => severity === 'error')) throw new ConfigError(remarks)
  const builder = new Builder(deepFreeze(structuredClone(draft.root)) as LooseConfig, registry)
  const parts = builder.build()
  // Whatever was thrown was not made, however mild it is.
  if (builder.faults.length > 0) throw new ConfigError(asWritten(builder.faults, draft))
  return { ...parts, remarks }
}

/** Faults with the paths of the config that was given. */
function asWritten(faults: readonly Fault[], draft: Draft): Fault[] {
  return faults.map((item) => {
    try {
      return { ...item, path: formatPath(draft.originOf(parsePath(item.path))) }
    } catch {
      // A module may write a path of its own making; it is told as it is.
      return item
    }
  })
}

class Builder {
  readonly faults: Fault[] = []
  readonly #config: LooseConfig
  readonly #registry: Registry
  readonly #scope = new Scope()

  constructor(config: LooseConfig, registry: Registry) {
    this.#config = config
    this.#registry = registry
  }

  build(): Omit<Parts, 'remarks'> {
    const events = new InstanceEvents()
    const outbounds = new Outbounds()
    const sessions = new SessionTable()
    this.#scope.provide(EVENTS, events)
    this.#scope.provide(OUTBOUND_MANAGER, outbounds)
    this.#scope.provide(LIVE_SESSIONS, sessions)
    const addresses = new Set<Endpoint>()
    this.#scope.provide(OWN_ADDRESSES, addresses)
    const make: MakeInbound = (definition, settings, tag) => this.#make(definition, this.#scopeFor(settings, tag), settings, [])
    this.#scope.provide(INBOUND_PARTS, new RegisteredInboundParts(this.#registry.inbounds, make))
    const { transport } = this.#registry
    const features = this.#features()
    this.#scope.provide(DIALER_FACTORY, this.#scope.construct(transport.dialers))
    this.#scope.provide(LISTENER_FACTORY, new KnownListeners(this.#scope.construct(transport.listeners), addresses))
    const dispatcher = new Dispatcher({
      events,
      sessions,
      outbounds,
      router: this.#scope.get(ROUTER),
      policies: this.#scope.get(POLICY_MANAGER),
      stats: this.#scope.get(STATS_MANAGER),
    })
    this.#eachOf(this.#config.outbounds, 'outbounds', (outbound) => outbounds.add(this.#outbound(outbound, outbounds)))
    const inbounds: InboundHandler[] = []
    this.#eachOf(this.#config.inbounds, 'inbounds', (inbound) => inbounds.push(this.#inbound(inbound, dispatcher, events)))
    return { scope: this.#scope, events, sessions, features, outbounds, inbounds, dispatcher }
  }

  /** Features in the order of registration, then core's own in place of those that are missing. */
  #features(): Feature[] {
    const features: Feature[] = []
    const { resolver } = this.#registry.transport
    const definitions = [...this.#registry.features.values()]
      .filter(({ section, optional }) => optional !== true || this.#config[section] !== undefined)
    // Other features may need it.
    if (!definitions.some(({ provides }) => provides === RESOLVER)) {
      this.#scope.provide(RESOLVER, resolver === undefined ? noResolver : this.#scope.construct(resolver))
    }
    for (const definition of definitions) {
      const settings = this.#config[definition.section]
      this.#collecting([definition.section], () => features.push(this.#feature(definition, settings ?? {})))
      // One fault is enough: what cannot be made is not missed by those after it.
      if (definition.provides === RESOLVER) this.#provideMissing(RESOLVER, noResolver)
    }
    this.#provideMissing(POLICY_MANAGER, defaultPolicies)
    this.#provideMissing(STATS_MANAGER, noStats)
    this.#provideMissing(ROUTER, noRules)
    return features
  }

  #feature(definition: FeatureDefinition, settings: unknown): Feature {
    const feature = this.#make(definition, this.#scopeFor(settings, ''), settings, [])
    if (definition.provides !== undefined) this.#scope.provide(definition.provides, feature)
    return feature
  }

  #outbound(config: AnyOutboundConfig, outbounds: Outbounds): DialingOutboundHandler {
    const { tag = '', protocol, settings = {}, streamSettings = {}, sendThrough, proxySettings } = config
    const definition = this.#registry.outbounds.get(protocol)
    if (definition === undefined) throw new TypeError(`Outbound protocol "${protocol}" passed the check without a module`)
    const dialer = this.#scope.get(DIALER_FACTORY).create({
      tag,
      stream: streamSettings,
      ...(sendThrough === undefined ? {} : { localAddress: sendThrough }),
      ...(proxySettings === undefined ? {} : { through: () => existing(outbounds.get(proxySettings.tag)) }),
    })
    const outbound = this.#make(definition, this.#scopeFor(settings, tag), settings, ['settings'])
    return new DialingOutboundHandler(tag, protocol, outbound, dialer)
  }

  #inbound(config: AnyInboundConfig, dispatcher: Dispatcher, events: InstanceEvents): InboundHandler {
    const { tag = '', protocol, settings = {}, streamSettings = {}, listen = '127.0.0.1', port, maxConnections, sniffing } = config
    const definition = this.#registry.inbounds.get(protocol)
    if (definition === undefined) throw new TypeError(`Inbound protocol "${protocol}" passed the check without a module`)
    const { handshakeMs } = this.#scope.get(POLICY_MANAGER).forLevel(0)
    const { alpn } = definition
    const spec = {
      listen, port: Number(port), stream: streamSettings, handshakeMs,
      ...(alpn === undefined ? {} : { alpn }), ...(maxConnections === undefined ? {} : { maxConnections }),
    }
    const listener = this.#scope.get(LISTENER_FACTORY).create(spec)
    const inbound = this.#make(definition, this.#scopeFor(settings, tag), settings, ['settings'])
    const router = this.#scope.get(ROUTER)
    const sniffer = sniffing?.enabled === true ? within(['sniffing'], () => router.sniffer?.(sniffing)) : undefined
    return new InboundHandler(tag, protocol, inbound, listener, dispatcher, events, sniffer)
  }

  #scopeFor(settings: unknown, tag: string): Scope {
    const scope = new Scope(this.#scope)
    scope.provide(SETTINGS, settings as never)
    scope.provide(TAG, tag)
    return scope
  }

  #make<T, Settings>(definition: Construction<T, Settings>, scope: Scope, settings: Settings, at: At): T {
    if ('create' in definition) return within(at, () => definition.create(settings, scope.get))
    const hint = 'register the module that provides it'
    const missing = needsOf(definition.useClass).filter((token) => !scope.has(token))
    if (missing.length > 0) throw new ConfigError(missing.map((token) => fault([], `needs the ${describeToken(token)}`, { hint })))
    return within(at, () => scope.construct(definition.useClass))
  }

  #provideMissing<T>(token: Token<T>, value: T): void {
    if (!this.#scope.has(token)) this.#scope.provide(token, value)
  }

  #eachOf<T>(list: readonly T[] = [], key: string, make: (item: T) => void): void {
    for (const [index, item] of list.entries()) this.#collecting([key, index], () => make(item))
  }

  /** What a constructor finds wrong with its settings joins the other faults, so that all are told at once. */
  #collecting(at: At, make: () => void): void {
    try {
      within(at, make)
    } catch (error) {
      if (!isConfigError(error)) throw error
      this.faults.push(...error.faults)
    }
  }
}

/** The result of `make`, whose faults are seen from further up. */
function within<T>(at: At, make: () => T): T {
  try {
    return make()
  } catch (error) {
    if (!isConfigError(error)) throw error
    throw new ConfigError(error.faults.map((item) => under(item, at)))
  }
}

function existing<T>(handler: T | undefined): T {
  if (handler === undefined) throw new TypeError('A chain passed the check without its outbound')
  return handler
}

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null) {
    for (const inner of Object.values(value)) deepFreeze(inner)
    Object.freeze(value)
  }
  return value
}
