import { fault, upgradeClientAccounts, type Draft, type Fault } from '@sluice/core'

/** Reads the settings that Xray's `mixed` shares with its `socks`: `users` for `accounts`, and `auth`, which accounts imply here. */
export function upgradeDialects(settings: Record<string, unknown>, draft: Draft): Fault[] {
  const faults = upgradeClientAccounts(settings, draft)
  const { accounts = [], auth, udp } = settings
  const hasAccounts = !Array.isArray(accounts) || accounts.length > 0
  // Who wants a password and names nobody must not end up with an open proxy.
  if (auth === 'password' && !hasAccounts) faults.push(fault(['auth'], 'is "password", and there are no accounts'))
  if (auth === 'noauth' && hasAccounts) {
    faults.push(fault(['auth'], 'is ignored: there are accounts, so clients must send one of them', { severity: 'warning' }))
  }
  if (auth === 'password' || auth === 'noauth') delete settings['auth']
  if (udp === true) faults.push(fault(['udp'], 'is ignored: UDP is not served', { severity: 'warning' }))
  for (const key of ['udp', 'ip', 'allowTransparent']) delete settings[key]
  return faults
}
