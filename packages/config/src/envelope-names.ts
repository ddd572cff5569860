import type { JsonSchema } from '@sluice/core'

const any: JsonSchema = {}

function object(names: readonly string[], parts: Readonly<Record<string, JsonSchema>> = {}): JsonSchema {
  return { properties: { ...Object.fromEntries(names.map((name) => [name, any])), ...parts } }
}

const stream = object(['network', 'method', 'security', 'tlsSettings', 'tcpSettings', 'rawSettings'], { sockopt: object(['dialerProxy']) })

const inbound = object(['tag', 'listen', 'port', 'protocol', 'settings', 'allocate', 'allowOpen', 'domainOverride'], {
  streamSettings: stream, sniffing: object(['enabled', 'destOverride', 'routeOnly', 'metadataOnly', 'domainsExcluded', 'ipsExcluded']),
})

const outbound = object(['tag', 'protocol', 'settings', 'sendThrough', 'targetStrategy', 'domainStrategy'], {
  streamSettings: stream, mux: object(['enabled']), proxySettings: object(['tag', 'transportLayer']),
})

/** How the keys around the protocols' own settings are spelt, old ones and those of the neighbours included. */
export const envelopeNames = object([
  'log', 'api', 'dns', 'policy', 'stats', 'transport', 'reverse', 'fakedns', 'observatory', 'burstObservatory', 'env', 'metrics',
  'version', 'geodata', 'port',
], {
  routing: object(['rules', 'domainStrategy', 'strategy', 'balancers'], { settings: object(['rules', 'domainStrategy']) }),
  inbounds: { items: inbound },
  inboundDetour: { items: inbound },
  inbound,
  outbounds: { items: outbound },
  outboundDetour: { items: outbound },
  outbound,
})
