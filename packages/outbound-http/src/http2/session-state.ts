import type { ProxyError } from '@sluice/core'

/**
 * Where a session is in its life. `settling`: the server's SETTINGS are awaited. `ready`: streams may be opened. `draining`: no new
 * streams, those that live go on (GOAWAY, RFC 9113 §6.8). `closed`: the end.
 */
export type SessionState =
  | { readonly kind: 'settling' }
  | { readonly kind: 'ready' }
  | { readonly kind: 'draining' }
  | {
    readonly kind: 'closed'
    /** What requests without an answer fail with. */
    readonly error: ProxyError
    /** What open tunnels are cut with. */
    readonly cut: ProxyError
    readonly wasReady: boolean
    readonly goawayCode?: number
  }

/** A session that is no more. */
export type ClosedSession = Extract<SessionState, { kind: 'closed' }>
