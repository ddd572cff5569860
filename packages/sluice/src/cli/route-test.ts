import { isIP } from 'node:net'
import {
  formatEndpoint, OUTBOUND_MANAGER, parseAuthority, printable, RESOLVER, ROUTER,
  type Context, type Endpoint, type Feature, type Instance, type OutboundHandler, type Sniffed,
} from '@sluice/core'
import { RuleRouter, type RuleVerdict } from '@sluice/router'
import { printFaults } from './faults.js'
import { loadConfig, type LoadConfigOptions, type LoadedConfig } from './load-config.js'
import { UsageError } from './proxy-url.js'

export interface RouteTestOptions extends LoadConfigOptions {
  readonly from?: string
  readonly inbound?: string
  readonly user?: string
  readonly network?: 'tcp' | 'udp'
  readonly protocol?: Sniffed['protocol']
  readonly json?: boolean
}

/** Says which rule takes a session and why the others do not; dials nothing. @throws {ConfigError} @throws {UsageError} */
export async function testRoute(target: string, options: RouteTestOptions): Promise<void> {
  const session = sessionOf(target, options)
  const loaded = await loadConfig(options)
  printFaults(loaded.remarks.filter(({ severity }) => severity !== 'notice'), loaded.texts)
  const explained = await explain(loaded.instance, session)
  const route = describe(session, explained, loaded)
  process.stdout.write(options.json === true ? `${JSON.stringify(route)}\n` : `${lines(route).join('\n')}\n`)
}

interface Explained {
  readonly outbound: OutboundHandler | undefined
  readonly rules: readonly RuleVerdict[]
}

async function explain(instance: Instance, session: Context): Promise<Explained> {
  const router = instance.get(ROUTER)
  const outbounds = instance.get(OUTBOUND_MANAGER)
  const started: Feature[] = []
  try {
    for (const feature of [instance.get(RESOLVER), router]) {
      await feature.start?.()
      started.push(feature)
    }
    const { route, rules } = router instanceof RuleRouter ? await router.explain(session) : { route: undefined, rules: [] }
    return { outbound: route === undefined ? outbounds.default : outbounds.get(route.outboundTag), rules }
  } finally {
    for (const feature of started.reverse()) await feature.close?.()
    await instance.stop()
  }
}

function sessionOf(text: string, { from, inbound = '', user, network = 'tcp', protocol }: RouteTestOptions): Context {
  const target = parseAuthority(text)
  if (target === undefined) throw new UsageError(`Cannot read target "${printable(text)}": write host:port, as example.com:443`)
  return {
    id: 'route-test',
    target: { network, ...target },
    inboundTag: inbound,
    signal: new AbortController().signal,
    record: { startedAt: Date.now(), uplinkBytes: 0, downlinkBytes: 0, attempts: 0 },
    ...(from === undefined ? {} : { source: sourceOf(from) }),
    ...(user === undefined ? {} : { user: { name: user, level: 0 } }),
    ...(protocol === undefined ? {} : { sniffed: { protocol } }),
  }
}

function sourceOf(text: string): Endpoint {
  const bare = text.replace(/^\[(.*)\]$/, '$1')
  const source = isIP(bare) === 0 ? parseAuthority(text) : { host: bare, port: 0 }
  if (source !== undefined && isIP(source.host) !== 0) return source
  throw new UsageError(`Cannot read --from "${printable(text)}": write an address, as 192.0.2.1 or 192.0.2.1:50000`)
}

interface RouteReport {
  readonly target: string
  readonly network: string
  /** What takes the session: the tag of an outbound, its protocol, and the rule; `null` for the first outbound without a rule. */
  readonly outbound: string | null
  readonly protocol: string | null
  readonly rule: string | null
  readonly rules: readonly RuleReport[]
}

interface RuleReport {
  readonly rule: string
  /** Where it stands. */
  readonly at?: string
  readonly verdict: string
  /** The first condition that does not hold, and what it asks for. */
  readonly failed?: string
  readonly value?: unknown
}

function describe({ target }: Context, { outbound, rules }: Explained, { document }: LoadedConfig): RouteReport {
  const { routing } = document.config as { routing?: { rules?: readonly Record<string, unknown>[] } }
  const winner = rules.find(({ verdict }) => verdict === 'wins')
  return {
    target: formatEndpoint(target),
    network: target.network,
    outbound: outbound?.tag ?? null,
    protocol: outbound?.protocol ?? null,
    rule: winner?.rule ?? null,
    rules: rules.map(({ rule, verdict }, index) => {
      const source = document.source?.(`routing.rules[${index}]`)
      const position = document.locate(`routing.rules[${index}]`)
      const file = source?.document.file ?? document.file ?? 'config'
      const at = position === undefined ? {} : { at: `${file}:${position.line}:${position.column}` }
      if (typeof verdict === 'string') return { rule, ...at, verdict }
      const value = routing?.rules?.[index]?.[verdict.failed]
      return { rule, ...at, verdict: 'does not match', failed: verdict.failed, ...(value === undefined ? {} : { value }) }
    }),
  }
}

function lines({ target, network, outbound, protocol, rule, rules }: RouteReport): string[] {
  const each = rules.map(({ rule: name, at, verdict, failed, value }) => {
    const asked = value === undefined ? '' : ` ${shortened(JSON.stringify(value))}`
    const reason = failed === undefined ? verdict : `${failed} does not match${asked}`
    return `  ${verdict === 'wins' ? '→' : ' '} ${name}: ${reason}${at === undefined ? '' : ` (${at})`}`
  })
  const goal = outbound === null ? 'nowhere: there is no outbound' : `to outbound "${outbound}" (${protocol ?? ''})`
  return [`${network}:${target} goes ${goal}, ${rule === null ? 'as no rule takes it' : `by ${rule}`}`, ...each]
}

function shortened(text: string): string {
  return printable(text.length > 100 ? `${text.slice(0, 99)}…` : text)
}
