import { fault, upgradeClientAccounts, type Draft, type Fault } from '@sluice/core'

const IGNORED = {
  allowTransparent: 'it belongs to http',
  timeout: '"connIdle" of the policy rules',
  packetEncoding: 'UDP is not served',
} as const

/** Reads `users` for `accounts` (Xray), and leaves out what has no meaning here. */
export function upgradeDialects(settings: Record<string, unknown>, draft: Draft): Fault[] {
  const faults = upgradeClientAccounts(settings, draft)
  for (const [key, reason] of Object.entries(IGNORED)) {
    if (!(key in settings)) continue
    delete settings[key]
    faults.push(fault([key], `is ignored: ${reason}`, { severity: key === 'allowTransparent' ? 'notice' : 'warning' }))
  }
  return faults
}
