import { fault, upgradeClientAccounts, type Draft, type Fault } from '@sluice/core'

/** Reads `users` for `accounts` (Xray), and leaves out what graphical clients write because their SOCKS inbound has it. */
export function upgradeDialects(settings: Record<string, unknown>, draft: Draft): Fault[] {
  const faults = upgradeClientAccounts(settings, draft)
  const { accounts, auth } = settings
  const isAsDone = auth === 'noauth' ? accounts === undefined : auth === 'password' && accounts !== undefined
  for (const key of ['udp', 'ip', ...(isAsDone ? ['auth'] : [])]) {
    if (!(key in settings)) continue
    delete settings[key]
    faults.push(fault([key], 'is ignored: it belongs to socks', { severity: 'notice' }))
  }
  return faults
}
