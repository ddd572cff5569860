import type { SessionRecord } from '@sluice/core'

/** What `relay` needs beside the two sides. A `Policy` has the limits. */
export interface RelayOptions {
  /** Bytes, `truncated` and `outcome` are written to it. */
  readonly record: SessionRecord
  /** Cuts the session at any moment. */
  readonly signal: AbortSignal
  /** With no byte moved either way for this long, the session ends; 0 = no limit. */
  readonly connIdleMs: number
  /** After the target's end, the client may stay idle for this long; 0 = ends at once, after flushing. */
  readonly uplinkOnlyMs: number
  /** After the client's end, the target may stay idle for this long; 0 = ends at once, after flushing. */
  readonly downlinkOnlyMs: number
  /** `hold`: the client's end is not passed on to the upstream before the target has ended. @default 'propagate' */
  readonly halfClose?: 'propagate' | 'hold'
}
