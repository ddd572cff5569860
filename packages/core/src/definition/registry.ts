import type { FeatureDefinition, InboundDefinition, Module, OutboundDefinition, TransportDefinition } from './define.js'

/** The modules of one instance by what a config calls them. Two that answer to the same name are a programming error. */
export class Registry {
  readonly inbounds = new Map<string, InboundDefinition>()
  readonly outbounds = new Map<string, OutboundDefinition>()
  readonly features = new Map<string, FeatureDefinition>()
  readonly transport: TransportDefinition

  /** @throws {TypeError} for two modules of one name, or where there is not exactly one transport. */
  constructor(modules: readonly Module[]) {
    const transports: TransportDefinition[] = []
    for (const module of modules) {
      switch (module.kind) {
        case 'inbound': add(this.inbounds, 'inbound protocol', module.protocol, module); break
        case 'outbound': add(this.outbounds, 'outbound protocol', module.protocol, module); break
        case 'feature': add(this.features, 'section', module.section, module); break
        case 'transport': transports.push(module); break
      }
    }
    const [transport] = transports
    if (transport === undefined || transports.length > 1) {
      const message = `Cannot build an instance with ${transports.length} transport modules`
      throw new TypeError(`${message}: give exactly one, as transport of @sluice/transport`)
    }
    this.transport = transport
  }
}

function add<T>(map: Map<string, T>, kind: string, name: string, module: T): void {
  if (map.has(name)) throw new TypeError(`Cannot register ${kind} "${name}" twice`)
  map.set(name, module)
}
