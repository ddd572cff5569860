import type { Connection } from '@sluice/core'
import type { PooledSession } from './pooled-session.js'

/** What a tunnel is opened on: a slot in a session, or a connection of its own where the server does not speak HTTP/2. */
export type Lease =
  | { readonly kind: 'session', readonly session: PooledSession }
  | { readonly kind: 'connection', readonly connection: Connection }

/** What a dial is at, for who waits for it. */
export type DialPhase = 'dial' | 'tls' | 'connect'

export interface LeaseOptions {
  readonly signal: AbortSignal
  readonly onPhase: (phase: DialPhase) => void
  /** Sessions that are not wanted, though they may have room. */
  readonly except?: ReadonlySet<PooledSession>
}
