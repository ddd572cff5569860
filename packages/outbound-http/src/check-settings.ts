import { validateHeaderName, validateHeaderValue } from 'node:http'
import { fault, type Fault } from '@sluice/core'
import type { AccountSettings, HttpOutboundSettings, ServerSettings } from './settings.js'
import { isHost } from './target-authority.js'

/** Fields that we write ourselves, or that would give the request a content that CONNECT has not. */
const RESERVED: Readonly<Record<string, string>> = {
  host: 'it is always the target',
  'proxy-authorization': 'set "users" of the server',
  'content-length': 'CONNECT has no content',
  'transfer-encoding': 'CONNECT has no content',
  te: 'CONNECT has no content',
  trailer: 'CONNECT has no content',
  upgrade: 'CONNECT is no upgrade',
}

// oxlint-disable-next-line no-control-regex
const CONTROL = /[\u0000-\u001f\u007f]/

/** What no schema can say about the settings. Nothing that a request line or field would carry goes unchecked. */
export function checkSettings({ servers, headers = {} }: HttpOutboundSettings): Fault[] {
  return [
    ...servers.flatMap((server, index) => serverFaults(server).map((item) => ({ ...item, path: `servers[${index}].${item.path}` }))),
    ...Object.entries(headers).flatMap(([name, value]) => headerFaults(name, value)),
  ]
}

function serverFaults({ address, users = [] }: ServerSettings): Fault[] {
  const faults = users.flatMap((user, index) => accountFaults(user).map((item) => ({ ...item, path: `users[${index}].${item.path}` })))
  if (isHost(address)) return faults
  const isUrl = address.includes('://')
  const hint = isUrl ? { hint: 'give host and port alone; TLS to the proxy is "streamSettings": {"security": "tls"}' } : {}
  return [fault(['address'], isUrl ? 'is a URL, not a host' : 'is neither a domain name nor an IP address', hint), ...faults]
}

function accountFaults({ user, pass = '' }: AccountSettings): Fault[] {
  const faults: Fault[] = []
  if (user.includes(':')) faults.push(fault(['user'], 'must not contain ":"', { hint: 'the password goes into "pass"' }))
  if (CONTROL.test(user)) faults.push(fault(['user'], 'must not contain control characters'))
  if (CONTROL.test(pass)) faults.push(fault(['pass'], 'must not contain control characters'))
  return faults
}

function headerFaults(name: string, value: string): Fault[] {
  const at = ['headers', name]
  const reserved = Object.hasOwn(RESERVED, name.toLowerCase()) ? RESERVED[name.toLowerCase()] : undefined
  if (reserved !== undefined) return [fault(at, 'cannot be set here', { hint: reserved })]
  try {
    validateHeaderName(name)
  } catch {
    return [fault(at, 'is not a field name')]
  }
  try {
    validateHeaderValue(name, value)
    return []
  } catch {
    return [fault(at, 'has a value that cannot be sent')]
  }
}
