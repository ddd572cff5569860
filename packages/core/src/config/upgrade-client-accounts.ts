import { fault, type Fault } from '../errors/config-error.js'
import type { PathSegment } from './config-path.js'
import type { Draft } from './draft.js'

const CREDENTIALS = { username: 'user', password: 'pass', name: 'user' } as const

/** Reads the accounts of an inbound in their other spellings: the list as `users`, and `Username` and `Password` in it. */
export function upgradeClientAccounts(settings: Record<string, unknown>, draft: Draft): Fault[] {
  const faults: Fault[] = []
  if ('users' in settings && !('accounts' in settings)) {
    draft.rename(settings, 'users', 'accounts')
    faults.push(fault(['users'], 'is read as "accounts"', { severity: 'notice' }))
  }
  const { accounts } = settings
  if (!Array.isArray(accounts)) return faults
  return [...faults, ...accounts.flatMap((account: unknown, index) => upgradeCredentials(account, draft, ['accounts', index]))]
}

/** Reads `Username` and `Password`, which v2ray's own guide prints and v2ray does not know, as `user` and `pass`. */
export function upgradeCredentials(account: unknown, draft: Draft, at: readonly PathSegment[]): Fault[] {
  if (typeof account !== 'object' || account === null || Array.isArray(account)) return []
  return Object.keys(account).flatMap((key) => {
    const word = key.toLowerCase()
    const right = Object.hasOwn(CREDENTIALS, word) ? CREDENTIALS[word as keyof typeof CREDENTIALS] : undefined
    if (right === undefined || Object.hasOwn(account, right)) return []
    draft.rename(account, key, right)
    return [fault([...at, key], `is read as "${right}"`, { severity: 'warning', hint: 'v2ray ignores it and sends no password' })]
  })
}
