import { fault, type Draft, type Fault } from '@sluice/core'
import { DOMAIN_STRATEGIES } from './settings.js'

type Loose = Record<string, unknown>

/** What other programs know and this one need not: leaving it out sends nothing where it would not have gone. */
const IGNORED: Readonly<Record<string, string>> = {
  timeout: 'the policy\'s connIdle is the limit',
  fragment: 'a TLS handshake is sent as it is',
  noises: 'UDP is not carried',
}

/** Reads `domainStrategy` in the spellings of v2ray (`use_ip4`, `use-ip-v6`) and under Xray's name `targetStrategy`. */
export function upgradeDialects(settings: Loose, draft: Draft): Fault[] {
  const faults: Fault[] = []
  for (const [key, why] of Object.entries(IGNORED)) {
    if (!(key in settings)) continue
    delete settings[key]
    faults.push(fault([key], `is ignored: ${why}`, { severity: 'warning' }))
  }
  if ('targetStrategy' in settings && !('domainStrategy' in settings)) {
    draft.rename(settings, 'targetStrategy', 'domainStrategy')
    faults.push(fault(['targetStrategy'], 'is read as "domainStrategy"', { severity: 'notice' }))
  }
  const { domainStrategy: written } = settings
  const strategy = typeof written === 'string' ? strategyOf(written) : undefined
  if (strategy !== undefined && strategy !== written) draft.replace(settings, 'domainStrategy', strategy)
  return faults
}

function strategyOf(written: string): string | undefined {
  if (written === '') return 'AsIs'
  const plain = written.toLowerCase().replaceAll(/[-_]/g, '').replaceAll(/v?([46])/g, 'v$1')
  return DOMAIN_STRATEGIES.find((strategy) => strategy.toLowerCase() === plain)
}
