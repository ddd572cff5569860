import { fault, upgradeCredentials, type Draft, type Fault } from '@sluice/core'

type Loose = Record<string, unknown>

const OF_SERVER = ['address', 'port'] as const
const OF_USER = ['user', 'pass', 'level', 'email'] as const

/**
 * Reads what v2ray and Xray configs hold beside our own form: one server written flat into the settings (Xray), an account written
 * flat into a server, and `Username` and `Password` (v2ray's guide).
 */
export function upgradeDialects(settings: Loose, draft: Draft): Fault[] {
  const faults = 'address' in settings ? unflatten(settings, draft) : []
  const { servers } = settings
  if (!Array.isArray(servers)) return faults
  return [...faults, ...servers.flatMap((server: unknown, index) => isObject(server) ? upgradeServer(server, draft, index) : [])]
}

/** Xray takes the flat server in place of the list, so a list beside it is ignored there. */
function unflatten(settings: Loose, draft: Draft): Fault[] {
  const faults = [fault(['address'], 'is read as the one server', { severity: 'notice', hint: 'the form of this program is "servers"' })]
  if ('servers' in settings) {
    faults.push(fault(['servers'], 'is ignored: "address" stands beside it', { severity: 'warning' }))
    delete settings['servers']
  }
  const server: Loose = {}
  moveAll(settings, server, [...OF_SERVER, 'users'], draft)
  moveAll(settings, server, OF_USER, draft)
  settings['servers'] = [server]
  return faults
}

function upgradeServer(server: Loose, draft: Draft, index: number): Fault[] {
  const { users } = server
  if (!Array.isArray(users) && 'user' in server) {
    const user: Loose = {}
    moveAll(server, user, OF_USER, draft)
    server['users'] = [user]
    return []
  }
  const ignored = OF_USER.filter((key) => key === 'level' || key === 'email').filter((key) => key in server)
  for (const key of ignored) delete server[key]
  const faults = ignored.map((key) =>
    fault(['servers', index, key], 'is ignored: there is no user beside it', { severity: 'warning' }))
  if (!Array.isArray(users)) return faults
  return [...faults, ...users.flatMap((user: unknown, at) => upgradeCredentials(user, draft, ['servers', index, 'users', at]))]
}

function moveAll(from: Loose, into: Loose, keys: readonly string[], draft: Draft): void {
  for (const key of keys) if (key in from) draft.move(from, key, into, key)
}

function isObject(value: unknown): value is Loose {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
