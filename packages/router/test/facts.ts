import { tcp, type Context } from '@sluice/core'
import type { RoutingFacts } from '../src/condition/condition.js'

/** What rules see of a session to a name. */
export function factsOf(name: string, addresses?: readonly string[], more: Partial<Context> = {}): RoutingFacts {
  const session: Context = {
    id: '1', inboundTag: '', target: tcp(name, 443), signal: new AbortController().signal,
    record: { startedAt: 0, uplinkBytes: 0, downlinkBytes: 0, attempts: 0 }, ...more,
  }
  return { session, name, addresses }
}
