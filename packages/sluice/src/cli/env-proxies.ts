import { isIP } from 'node:net'
import { printable, type Config, type OutboundConfig } from '@sluice/core'
import type { RoutingRule } from '@sluice/router'
import { parseForwardUrl } from './proxy-url.js'

export type Environment = Readonly<Record<string, string | undefined>>

/** What a config takes from the environment: outbounds, of which the first takes what no rule takes, and rules. */
export type ConfigPart = Pick<Config, 'outbounds' | 'routing'>

const DIRECT: OutboundConfig = { protocol: 'freedom', tag: 'direct' }

/**
 * What `HTTPS_PROXY`, `HTTP_PROXY` and `ALL_PROXY` say, in lower case first. A session does not tell its scheme, so `HTTP_PROXY` is for
 * port 80 and `HTTPS_PROXY` for all others. What `NO_PROXY` names goes straight to the target.
 *
 * @param forward Takes everything in place of the proxies of the environment, whose `NO_PROXY` still holds.
 * @throws {UsageError} for a proxy that cannot be used, as `socks5://`.
 */
export function environmentConfig(env: Environment, forward?: readonly OutboundConfig[]): ConfigPart {
  const bypass = noProxyEntries(env)
  if (bypass.includes('*')) return { outbounds: [DIRECT] }
  const [https, http] = forward === undefined ? [proxyOf(env, 'https'), proxyOf(env, 'http')] : [undefined, undefined]
  const outbounds = [...forward ?? [], ...(https === undefined ? [] : [https])]
  const rules = bypass.map(bypassRule)
  if (http !== undefined && https !== undefined && isOther(http, https)) {
    outbounds.push(http)
    rules.push({ port: 80, outboundTag: 'http_proxy', ruleTag: 'HTTP_PROXY' })
  } else if (http !== undefined && https === undefined) {
    // Only plain HTTP has a proxy.
    return { outbounds: [DIRECT, http], routing: { rules: [...rules, { port: 80, outboundTag: 'http_proxy', ruleTag: 'HTTP_PROXY' }] } }
  }
  return { outbounds: [...outbounds, DIRECT], ...(rules.length === 0 ? {} : { routing: { rules } }) }
}

/** Whether the environment names a proxy at all. */
export function hasEnvironmentProxy(env: Environment): boolean {
  return proxyVariable(env, 'https') !== undefined || proxyVariable(env, 'http') !== undefined
}

function proxyOf(env: Environment, scheme: 'http' | 'https'): OutboundConfig | undefined {
  const variable = proxyVariable(env, scheme)
  if (variable === undefined) return undefined
  const [name, value] = variable
  return { ...parseForwardUrl(value.includes('://') ? value : `http://${value}`, name), tag: `${scheme}_proxy` }
}

/** The first of the variables that is set, with its name. */
function proxyVariable(env: Environment, scheme: 'http' | 'https'): readonly [name: string, value: string] | undefined {
  // A web server hands a client's "Proxy:" field to its programs as HTTP_PROXY.
  const upper = scheme === 'http' && env['REQUEST_METHOD'] !== undefined ? [] : [`${scheme.toUpperCase()}_PROXY`]
  const names = [`${scheme}_proxy`, ...upper, 'all_proxy', 'ALL_PROXY']
  return names.map((name) => [name, env[name]?.trim() ?? ''] as const).find(([, value]) => value !== '')
}

function isOther(http: OutboundConfig, https: OutboundConfig): boolean {
  return JSON.stringify({ ...http, tag: '' }) !== JSON.stringify({ ...https, tag: '' })
}

function noProxyEntries(env: Environment): string[] {
  const text = env['no_proxy'] ?? env['NO_PROXY'] ?? ''
  return text.split(/[\s,]+/).filter((entry) => entry !== '')
}

/** One entry: a name and all below it, an address, a block of addresses, each with or without a port. */
function bypassRule(entry: string): RoutingRule {
  const { host, port } = splitPort(entry)
  const where = port === undefined ? {} : { port }
  const rule = { ...where, outboundTag: 'direct', ruleTag: printable(`NO_PROXY ${entry}`) }
  if (isIP(host.replace(/\/\d+$/, '')) !== 0) return { ...rule, ip: [host] }
  return { ...rule, domain: [`domain:${host.replace(/^\*?\.+/, '')}`] }
}

function splitPort(entry: string): { readonly host: string, readonly port?: number } {
  const bracketed = /^\[(?<host>[^\]]+)\](?::(?<port>\d+))?$/.exec(entry)?.groups
  const plain = /^(?<host>[^:]+)(?::(?<port>\d+))?$/.exec(entry)?.groups
  const { host = entry, port } = bracketed ?? plain ?? {}
  return port === undefined ? { host } : { host, port: Number(port) }
}
