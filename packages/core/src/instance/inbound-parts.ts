import { SchemaChecker } from '../config/schema-faults.js'
import type { Inbound, InboundPart, InboundParts } from '../contracts/inbound.js'
import type { InboundDefinition } from '../definition/define.js'
import { ConfigError } from '../errors/config-error.js'

/** Makes the inbound of a definition, with settings and tag in its scope. */
export type MakeInbound = (definition: InboundDefinition, settings: unknown, tag: string) => Inbound

/** The registered inbound protocols, as parts of one that serves several. */
export class RegisteredInboundParts implements InboundParts {
  readonly #definitions: ReadonlyMap<string, InboundDefinition>
  readonly #make: MakeInbound

  constructor(definitions: ReadonlyMap<string, InboundDefinition>, make: MakeInbound) {
    this.#definitions = definitions
    this.#make = make
  }

  get protocols(): readonly string[] {
    return [...this.#definitions.values()].filter(({ claims }) => claims !== undefined).map(({ protocol }) => protocol)
  }

  create(protocol: string, settings: Readonly<Record<string, unknown>>, tag: string): InboundPart {
    const definition = this.#definitions.get(protocol)
    if (definition?.claims === undefined) throw new TypeError(`Protocol "${protocol}" cannot be told by its first byte`)
    const own = ownSettings(definition, settings)
    const faults = new SchemaChecker().faults(definition.schema, own, [])
    if (faults.length === 0) faults.push(...definition.check?.(own, { inbounds: new Set(), outbounds: new Set() }) ?? [])
    if (faults.some(({ severity }) => severity === 'error')) throw new ConfigError(faults)
    const { authenticates, claims } = definition
    return { protocol, inbound: this.#make(definition, own, tag), authenticates: authenticates(own), claims }
  }
}

function ownSettings({ schema }: InboundDefinition, settings: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(settings).filter(([key]) => Object.hasOwn(schema.properties ?? {}, key)))
}
