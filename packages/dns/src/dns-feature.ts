import { ConfigError, defineFeature, fault, RESOLVER, type Fault, type FeatureDefinition, type PathSegment } from '@sluice/core'
import { isIP } from 'node:net'
import type { ConfiguredServer } from './configured-server.js'
import { DnsResolver } from './dns-resolver.js'
import { dnsSchema, type DnsServerSettings, type DnsSettings } from './dns-settings.js'
import { FixedHosts } from './fixed-hosts.js'
import { makeServer, parseServer } from './parse-server.js'
import { respellStrategies } from './respell-strategies.js'
import { plainPatterns, type Patterns } from './patterns.js'

declare module '@sluice/core' {
  interface FeatureSections { dns: DnsSettings }
}

const TIMEOUT_MS = 4_000

/** What a `dns` feature may be given beside its section. */
export interface DnsOptions {
  /** How `hosts`, `domains` and `expectIPs` are read. @default names and addresses without expressions and data files */
  readonly patterns?: Patterns
  /** Trusted for DoH in place of Node's authorities, as PEM. */
  readonly ca?: string
  /** Milliseconds of a clock that never goes back. @default performance.now */
  readonly now?: () => number
}

/**
 * The section `dns`: who resolves names. Without the section the system does. To be given before the features that need names, as
 * routing does.
 */
export function createDnsFeature(options: DnsOptions = {}): FeatureDefinition {
  return defineFeature({
    section: 'dns',
    provides: RESOLVER,
    optional: true,
    schema: dnsSchema,
    upgrade: respellStrategies,
    check: checkDns,
    create: (settings) => makeResolver(settings, options),
  })
}

/** The section `dns`, without expressions and data files. */
export const dnsFeature: FeatureDefinition = createDnsFeature()

/** What the schema cannot say, but for the patterns, which show when the resolver is made. */
function checkDns({ hosts = {}, servers = [], clientIp, tag }: DnsSettings): Fault[] {
  const ignored = (at: readonly PathSegment[], value: unknown, why: string): Fault[] =>
    value === undefined ? [] : [fault(at, `is ignored: ${why}`, { severity: 'warning' })]
  return [
    ...ignored(['clientIp'], clientIp, 'no server is told whose question it is'),
    ...ignored(['tag'], tag, 'questions go straight to the servers, and no rule sees them'),
    ...Object.entries(hosts).flatMap(([name, value]) => {
      const values = typeof value === 'string' ? [value] : value
      const isFine = values.length === 1 || values.every((address) => isIP(address) !== 0)
      return isFine ? [] : [fault(['hosts', name], 'must be addresses, or one other name')]
    }),
    ...servers.flatMap((server, index) => {
      const settings = serverOf(server)
      const at: readonly PathSegment[] = typeof server === 'string' ? ['servers', index] : ['servers', index, 'address']
      const parsed = parseServer(settings)
      const faults = typeof parsed === 'string' ? [fault(at, `"${settings.address}" ${parsed}`)] : []
      return [...faults, ...ignored(['servers', index, 'clientIp'], settings.clientIp, 'no server is told whose question it is')]
    }),
  ]
}

function makeResolver(settings: DnsSettings, { patterns = plainPatterns, ca, now }: DnsOptions): DnsResolver {
  const { hosts = {}, queryStrategy = 'UseIP', disableCache = false, disableFallback = false, disableFallbackIfMatch = false } = settings
  const servers = settings.servers === undefined || settings.servers.length === 0 ? ['localhost'] : settings.servers
  const faults: Fault[] = []
  const trying = <T>(at: readonly PathSegment[], value: string, make: () => T): T | undefined => {
    try {
      return make()
    } catch (error) {
      const { message, hint } = error as Error & { readonly hint?: string }
      faults.push(fault(at, `"${value}" ${message}`, hint === undefined ? {} : { hint }))
      return undefined
    }
  }
  const configured = servers.map(serverOf).map((server, index): ConfiguredServer => {
    const { domains = [], expectIPs = [], skipFallback = false, timeoutMs = TIMEOUT_MS } = server
    const at = (key: string): readonly PathSegment[] => ['servers', index, key]
    for (const value of domains) trying(at('domains'), value, () => patterns.names([value], 'keyword'))
    for (const value of expectIPs) trying(at('expectIPs'), value, () => patterns.addresses([value]))
    const parsed = parseServer(server)
    if (typeof parsed === 'string') throw new TypeError(`Server "${server.address}" passed the check, but ${parsed}`)
    return {
      server: makeServer(parsed, ca),
      ...(domains.length === 0 || faults.length > 0 ? {} : { isOwn: patterns.names(domains, 'keyword') }),
      ...(expectIPs.length === 0 || faults.length > 0 ? {} : { isExpected: patterns.addresses(expectIPs) }),
      skipFallback,
      strategy: server.queryStrategy ?? queryStrategy,
      timeoutMs,
    }
  })
  for (const pattern of Object.keys(hosts)) trying(['hosts', pattern], pattern, () => new FixedHosts({ [pattern]: '127.0.0.1' }, patterns))
  if (faults.length > 0) throw new ConfigError(faults)
  const fixed = new FixedHosts(hosts, patterns)
  return new DnsResolver({
    hosts: fixed, servers: configured, disableCache, disableFallback, disableFallbackIfMatch, ...(now === undefined ? {} : { now }),
  })
}

function serverOf(server: string | DnsServerSettings): DnsServerSettings {
  return typeof server === 'string' ? { address: server } : server
}
