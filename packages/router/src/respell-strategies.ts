import type { Draft, Fault } from '@sluice/core'
import { BALANCER_STRATEGIES } from './balancer/balancer-settings.js'
import { DOMAIN_STRATEGIES } from './routing-settings.js'

type Loose = Record<string, unknown>

/** Reads strategies in the spellings of v2ray: in whatever case, with `-` or `_` between the words. */
export function respellStrategies(settings: Loose, draft: Draft): readonly Fault[] {
  respell(settings, 'domainStrategy', DOMAIN_STRATEGIES, draft)
  const { balancers } = settings
  if (!Array.isArray(balancers)) return []
  for (const balancer of balancers as unknown[]) {
    const strategy = isObject(balancer) ? balancer['strategy'] : undefined
    if (isObject(strategy)) respell(strategy, 'type', BALANCER_STRATEGIES, draft)
  }
  return []
}

function respell(object: Loose, key: string, known: readonly string[], draft: Draft): void {
  const { [key]: written } = object
  if (typeof written !== 'string') return
  const right = written === '' ? known[0] : known.find((name) => plain(name) === plain(written))
  if (right !== undefined && right !== written) draft.replace(object, key, right)
}

function plain(text: string): string {
  return text.toLowerCase().replaceAll(/[-_]/g, '')
}

function isObject(value: unknown): value is Loose {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
