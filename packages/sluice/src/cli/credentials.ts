import { readFileSync } from 'node:fs'
import type { OutboundConfig } from '@sluice/core'
import type { Environment } from './env-proxies.js'
import { UsageError } from './proxy-url.js'

export interface Credentials {
  readonly user: string
  readonly pass: string
}

/**
 * User and password for an upstream whose URL has none: the first line of the file, else `SLUICE_AUTH`, as `user:password`.
 * @throws {UsageError} without repeating what was found.
 */
export function readCredentials(file: string | undefined, env: Environment): Credentials | undefined {
  const name = file === undefined ? 'SLUICE_AUTH' : `--auth-file "${file}"`
  const text = file === undefined ? env['SLUICE_AUTH'] : firstLine(file)
  if (text === undefined || text === '') return undefined
  const colon = text.indexOf(':')
  if (colon < 1) throw new UsageError(`Cannot read ${name}: it must be user:password`)
  return { user: text.slice(0, colon), pass: text.slice(colon + 1) }
}

/**
 * The outbounds with credentials for the one `http` outbound that has none.
 * @throws {UsageError} if there are several.
 */
export function withCredentials(outbounds: readonly OutboundConfig[], credentials: Credentials | undefined): OutboundConfig[] {
  const without = outbounds.filter(hasNoUser)
  if (credentials === undefined || without.length === 0) return [...outbounds]
  if (without.length > 1) {
    throw new UsageError('Cannot tell which upstream the credentials are for: write user:env:NAME@ into each URL')
  }
  return outbounds.map((outbound) => {
    if (!hasNoUser(outbound) || outbound.protocol !== 'http') return outbound
    const servers = outbound.settings?.servers ?? []
    return { ...outbound, settings: { ...outbound.settings, servers: servers.map((server) => ({ ...server, users: [credentials] })) } }
  })
}

function hasNoUser(outbound: OutboundConfig): boolean {
  return outbound.protocol === 'http' && (outbound.settings?.servers ?? []).every(({ users = [] }) => users.length === 0)
}

function firstLine(file: string): string {
  try {
    return readFileSync(file, 'utf8').split(/\r?\n/, 1)[0] ?? ''
  } catch (error) {
    throw new UsageError(`Cannot read --auth-file "${file}": ${(error as Error).message}`)
  }
}
