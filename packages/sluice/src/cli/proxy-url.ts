import { printable, type InboundConfig, type OutboundConfig } from '@sluice/core'

/** The command was called in a way that it does not understand. The message never repeats a password. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}

const DEFAULT_PORTS: Readonly<Record<string, number>> = { 'http:': 80, 'https:': 443, 'socks:': 1080, 'socks5:': 1080 }

/** What to listen on, as `socks://user:pass@127.0.0.1:1080`; without a host it is 127.0.0.1. @throws {UsageError} */
export function parseListenUrl(text: string, option = '-L'): InboundConfig {
  const { scheme, host, port, user, pass } = parseProxyUrl(text, option)
  const account = user === undefined ? [] : [{ user, pass }]
  const where = { listen: host === '' ? '127.0.0.1' : host, port }
  switch (scheme) {
    case 'socks:':
    case 'socks5:':
      return { ...where, protocol: 'socks', settings: account.length > 0 ? { auth: 'password', accounts: account } : {} }
    case 'http:':
      return { ...where, protocol: 'http', settings: account.length > 0 ? { accounts: account } : {} }
    default:
      throw new UsageError(`Cannot listen as "${scheme}//": use socks:// or http://`)
  }
}

/**
 * What to go through, as `http://user:pass@host:3128`, with percent-encoding; `https://` speaks TLS to the proxy. A password written as
 * `env:NAME` is read from the environment.
 *
 * @param option Names the URL in messages.
 * @throws {UsageError} for a URL that cannot be used, as `socks5://`.
 */
export function parseForwardUrl(text: string, option = '-F'): OutboundConfig {
  const { scheme, host, port, user, pass } = parseProxyUrl(text, option)
  if (host === '') throw new UsageError(`Cannot forward without a host: use ${option} http://host:3128`)
  if (scheme !== 'http:' && scheme !== 'https:') {
    throw new UsageError(`Cannot forward to "${scheme}//" (${option}): use http:// or https://`)
  }
  const users = user === undefined ? {} : { users: [{ user, pass }] }
  return {
    protocol: 'http',
    settings: { servers: [{ address: host, port, ...users }] },
    ...(scheme === 'https:' ? { streamSettings: { security: 'tls' as const } } : {}),
  }
}

interface ProxyUrl {
  readonly scheme: string
  readonly host: string
  readonly port: number
  readonly user?: string
  readonly pass: string
}

function parseProxyUrl(text: string, option: string): ProxyUrl {
  // A URL class refuses `socks://:1080`; an empty host means the default.
  const filled = text.replace(/^([a-z0-9+.-]+:\/\/(?:[^/@]*@)?)(?=:\d)/i, '$1default-host')
  const url = URL.canParse(filled) ? new URL(filled) : undefined
  if (url === undefined || !/^[a-z0-9+.-]+:\/\//i.test(text)) {
    throw new UsageError(`Cannot read ${option} "${printable(withoutUser(text))}": write a URL, as http://127.0.0.1:8080`)
  }
  const port = url.port === '' ? DEFAULT_PORTS[url.protocol] ?? 0 : Number(url.port)
  const host = url.hostname === 'default-host' ? '' : url.hostname.replace(/^\[(.*)\]$/, '$1')
  return {
    scheme: url.protocol,
    host,
    port,
    pass: passwordFromEnvironment(text, option) ?? decode(url.password, option),
    ...(url.username === '' && url.password === '' ? {} : { user: decode(url.username, option) }),
  }
}

/** A password as `env:NAME` is the value of that variable, and so does not show in a list of processes. */
function passwordFromEnvironment(text: string, option: string): string | undefined {
  const { name } = /^[^/]*\/\/[^/:@]*:env:(?<name>\w+)@/.exec(text)?.groups ?? {}
  if (name === undefined) return undefined
  const value = process.env[name]
  if (value === undefined) throw new UsageError(`Cannot find the password of ${option}: the variable "${name}" is not set`)
  return value
}

function decode(text: string, option: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    throw new UsageError(`Cannot read user or password of ${option}: "%" must be written as %25`)
  }
}

function withoutUser(text: string): string {
  return text.replace(/\/\/.*@/, '//***@')
}
