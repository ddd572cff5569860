import type { Policy, PolicyManager, Resolver, Router, StatsManager, SystemPolicy } from '../contracts/features.js'
import { printable } from '../errors/printable.js'
import { ProxyError } from '../errors/proxy-error.js'

/** What holds where no policy says otherwise. */
export const DEFAULT_POLICY: Policy = Object.freeze({
  handshakeMs: 10_000,
  connIdleMs: 300_000,
  uplinkOnlyMs: 2_000,
  downlinkOnlyMs: 5_000,
  statsUserUplink: false,
  statsUserDownlink: false,
})

const NO_STATISTICS: SystemPolicy = Object.freeze({
  statsInboundUplink: false,
  statsInboundDownlink: false,
  statsOutboundUplink: false,
  statsOutboundDownlink: false,
})

/** Serves where no policy module is registered: the defaults for everybody. */
export const defaultPolicies: PolicyManager = { forLevel: () => DEFAULT_POLICY, system: NO_STATISTICS }

/** Serves where no statistics are wanted: counts nothing. */
export const noStats: StatsManager = { counter: () => undefined, snapshot: () => new Map() }

/** Serves where there are no rules: the first outbound takes everything. */
export const noRules: Router = { route: () => undefined }

/** Serves where neither a feature nor the transport resolves names: it knows none. */
export const noResolver: Resolver = {
  resolve: (name) => {
    const message = `Cannot resolve "${printable(name)}": there is no resolver`
    return Promise.reject(new ProxyError('DNS', message, { side: 'internal', phase: 'dns' }))
  },
}
