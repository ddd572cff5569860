import type { Feature, Resolver } from '../contracts/features.js'
import type { Inbound } from '../contracts/inbound.js'
import type { Outbound } from '../contracts/outbound.js'
import type { DialerFactory, ListenerFactory, StreamSettings } from '../contracts/transport.js'
import type { Injectable, Resolve, Token } from '../di.js'
import type { Draft } from '../config/draft.js'
import type { Fault } from '../errors/config-error.js'
import type { FeatureSections, InboundSettings, OutboundSettings } from './settings.js'
import type { JsonSchema, ObjectSchema } from './json-schema.js'

/**
 * How a module's object comes to be: a class whose constructor is injected, or a plain function for who uses no decorators.
 *
 * Either may throw a {@link ConfigError} for what only shows now; its paths start at the module's settings, as those of `check`.
 */
export type Construction<T, Settings> =
  | { readonly useClass: Injectable<T> }
  | { readonly create: (settings: Settings, resolve: Resolve) => T }

/** The faults of a part of a config that a schema cannot express. Paths start at that part; {@link fault} writes them. */
export type Check<Settings> = (settings: Settings, known: KnownTags) => readonly Fault[]

/**
 * Rewrites older or foreign forms of a protocol's settings, or of a section, to the one that its schema knows, in place and before the
 * check. Values that are moved or renamed by the draft keep their place for faults. Nothing is known of the types yet, and what is not
 * understood is left alone.
 *
 * @returns notices and warnings of what was read differently; their paths start at the settings, in the form that was written.
 */
export type Upgrade = (settings: Record<string, unknown>, draft: Draft) => readonly Fault[]

/** The tags that a config defines. */
export interface KnownTags {
  readonly inbounds: ReadonlySet<string>
  readonly outbounds: ReadonlySet<string>
}

interface Definition<Settings> {
  /** Checked by ajv before anything is made; absent settings are checked as `{}`. */
  readonly schema: JsonSchema
  /** Runs after the schema found no fault. */
  readonly check?: Check<Settings>
}

/** A protocol that configs may name under `inbounds`; one object is made of it for each inbound of the config. */
export type InboundDefinition<Settings = unknown> = Definition<Settings> & Construction<Inbound, Settings> & {
  readonly kind: 'inbound'
  readonly protocol: string
  readonly upgrade?: Upgrade
  /** Whether these settings let in only who can authenticate. A public listener that does not is refused at load. */
  readonly authenticates: (settings: Settings) => boolean
  /** Whether a connection that starts with this byte is of this protocol; for several protocols on one port. */
  readonly claims?: (firstByte: number) => boolean
  /** What to agree on over TLS (ALPN), most wanted first, where the stream settings name nothing. @default http/1.1 */
  readonly alpn?: readonly string[]
}

/** A protocol that configs may name under `outbounds`; one object is made of it for each outbound of the config. */
export type OutboundDefinition<Settings = unknown> = Definition<Settings> & Construction<Outbound, Settings> & {
  readonly kind: 'outbound'
  readonly protocol: string
  readonly upgrade?: Upgrade
}

/** A part that an instance has once; made before every outbound and inbound, in the order in which the modules are given. */
export type FeatureDefinition<Settings = unknown> = Definition<Settings> & Construction<Feature, Settings> & {
  readonly kind: 'feature'
  /** The top-level key of the config that holds its settings. */
  readonly section: string
  readonly upgrade?: Upgrade
  /** Under which token others find it; absent for a feature that only acts. */
  readonly provides?: Token<unknown>
  /** Made only where the section is present; else core's null implementation of the token serves. @default false */
  readonly optional?: boolean
}

/** What opens sockets for an instance, which needs exactly one; without it core can neither dial nor listen. */
export interface TransportDefinition {
  readonly kind: 'transport'
  /** Of `streamSettings`. */
  readonly schema: JsonSchema
  /** What the schema cannot say of an outbound's `streamSettings`, which fit it: paths start there. Warnings are shown at the start. */
  readonly checkOutbound?: (stream: StreamSettings) => readonly Fault[]
  readonly dialers: Injectable<DialerFactory>
  readonly listeners: Injectable<ListenerFactory>
  /** Resolves names where no feature does. */
  readonly resolver?: Injectable<Resolver>
}

/** Something that `createInstance` is given: a value, never an import side effect. */
export type Module = InboundDefinition | OutboundDefinition | FeatureDefinition | TransportDefinition

/** Declares an inbound protocol. Its settings type is that of {@link InboundSettings} under the same name. */
export function defineInbound<Protocol extends keyof InboundSettings & string>(
  definition: Omit<InboundDefinition<InboundSettings[Protocol]>, 'kind' | 'protocol' | 'schema' | 'useClass' | 'create'>
    & Construction<Inbound, InboundSettings[Protocol]>
    & { readonly protocol: Protocol, readonly schema: ObjectSchema<InboundSettings[Protocol]> },
): InboundDefinition {
  return { kind: 'inbound', ...definition } as unknown as InboundDefinition
}

/** Declares an outbound protocol. Its settings type is that of {@link OutboundSettings} under the same name. */
export function defineOutbound<Protocol extends keyof OutboundSettings & string>(
  definition: Omit<OutboundDefinition<OutboundSettings[Protocol]>, 'kind' | 'protocol' | 'schema' | 'useClass' | 'create'>
    & Construction<Outbound, OutboundSettings[Protocol]>
    & { readonly protocol: Protocol, readonly schema: ObjectSchema<OutboundSettings[Protocol]> },
): OutboundDefinition {
  return { kind: 'outbound', ...definition } as unknown as OutboundDefinition
}

/**
 * Declares a feature with its own top-level section. Its settings type is that of {@link FeatureSections} under that name, and it
 * must be what the token that it provides stands for.
 */
export function defineFeature<Section extends keyof FeatureSections & string, Provided extends Feature = Feature>(
  definition: Omit<FeatureDefinition<FeatureSections[Section]>, 'kind' | 'section' | 'provides' | 'schema' | 'useClass' | 'create'>
    & Construction<NoInfer<Provided>, FeatureSections[Section]>
    & {
      readonly section: Section
      readonly provides?: Token<Provided>
      readonly schema: ObjectSchema<FeatureSections[Section] & object>
    },
): FeatureDefinition {
  return { kind: 'feature', ...definition } as unknown as FeatureDefinition
}

/** Declares what opens and accepts sockets. An instance needs exactly one. */
export function defineTransport(
  definition: Omit<TransportDefinition, 'kind' | 'schema'> & { readonly schema: ObjectSchema<StreamSettings> },
): TransportDefinition {
  return { kind: 'transport', ...definition }
}
