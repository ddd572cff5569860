import type { Draft, Fault } from '@sluice/core'
import { QUERY_STRATEGIES } from './dns-settings.js'

type Loose = Record<string, unknown>

/** Reads `queryStrategy` in the spellings of v2ray (`use_ip4`, `use-ip-v6`), and `expectedIPs` as Xray calls `expectIPs`. */
export function respellStrategies(settings: Loose, draft: Draft): readonly Fault[] {
  respell(settings, draft)
  const { servers } = settings
  if (!Array.isArray(servers)) return []
  for (const server of servers as unknown[]) {
    if (typeof server !== 'object' || server === null) continue
    respell(server as Loose, draft)
    if ('expectedIPs' in server && !('expectIPs' in server)) draft.rename(server, 'expectedIPs', 'expectIPs')
  }
  return []
}

function respell(object: Loose, draft: Draft): void {
  const { queryStrategy: written } = object
  if (typeof written !== 'string') return
  const plain = written.toLowerCase().replaceAll(/[-_]/g, '').replaceAll(/v?([46])/g, 'v$1')
  const right = QUERY_STRATEGIES.find((strategy) => strategy.toLowerCase() === plain)
  if (right !== undefined && right !== written) draft.replace(object, 'queryStrategy', right)
}
