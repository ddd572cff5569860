import { InstanceEvents, type Dialer, type DialerFactory, type Resolver, type StatsManager } from '@sluice/core'
import { testPolicies } from '@sluice/testkit'
import { transport, type TlsSettings } from '@sluice/transport'

const noStats: StatsManager = { counter: () => undefined, snapshot: () => new Map() }

/** For outbounds that are not to resolve anything. */
export const noNames: Resolver = { resolve: (name) => Promise.reject(new Error(`Nobody was to resolve "${name}"`)) }

/** The real dialer of an outbound, as its module makes it. */
export function dialer(tlsSettings?: TlsSettings): Dialer {
  const Factory = transport.dialers as new (...values: unknown[]) => DialerFactory
  const stream = tlsSettings === undefined ? {} : { security: 'tls', tlsSettings } as const
  return new Factory(new InstanceEvents(), testPolicies(), noStats).create({ tag: '', stream })
}
