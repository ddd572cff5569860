import type { Destination, Endpoint } from './destination.js'
import type { HttpRequestHead } from './link.js'
import type { Sniffed } from './sniffed.js'

/** Who opened a session, as the inbound authenticated it. */
export interface User {
  /** Names the user in rules, logs and counters (`user>>>NAME>>>traffic>>>uplink`). */
  readonly name: string
  /** The policy level: picks timeouts and statistics switches. @default 0 */
  readonly level: number
}

/**
 * What everybody on a session's way may know of it. An inbound describes it, the dispatcher makes it, rules read it, the
 * outbound carries it.
 *
 * The context is passed on explicitly, never by async storage. It is read-only but for `record`.
 */
export interface Context {
  /** Unique within the instance; the same in every log line and event of the session. */
  readonly id: string
  /** Where the client wants to go; under the name that was sniffed, where the inbound's `sniffing` says so. */
  readonly target: Destination
  /** The client's own address; absent for a session that the program itself opened. */
  readonly source?: Endpoint
  /** Tag of the inbound that accepted the client; `''` where it has none. */
  readonly inboundTag: string
  readonly user?: User
  /** What the first bytes told; absent where nobody looked or nothing was recognised. Written by the dispatcher before routing. */
  readonly sniffed?: Sniffed
  /** Set when the session is one plain HTTP request. */
  readonly http?: HttpRequestHead
  /**
   * Aborts when the client is gone before the tunnel opened, or when the instance is cut. Whoever waits on behalf of the
   * session waits with it, and removes its listener afterwards. The reason is what `process` rejects with, as it is.
   */
  readonly signal: AbortSignal
  /** The session's account, written while it runs and read at its end by log, events and counters. */
  readonly record: SessionRecord
}

/**
 * How a session ended.
 *
 * - `closed`: both directions ended in order, or one did and the policy's `uplinkOnly`/`downlinkOnly` ended the other.
 * - `idle`: nothing moved for the policy's `connIdle`.
 * - `cancelled`: `ctx.signal` aborted it.
 * - `failed`: no tunnel was opened; `error` says why.
 * - `aborted`: the open tunnel was cut; `error` says by which side.
 */
export type SessionOutcome = 'closed' | 'idle' | 'cancelled' | 'failed' | 'aborted'

/** One session's account. Each field has one writer. */
export interface SessionRecord {
  /** Milliseconds since 1970. Written by the dispatcher. */
  readonly startedAt: number
  /** Milliseconds from the start to `link.open()`; absent if it never opened. Written by the dispatcher. */
  establishedMs?: number
  /** Milliseconds from start to end; absent while it runs. Written by the dispatcher. */
  durationMs?: number
  /** Payload taken from the client and handed to the tunnel. Written by `relay`. */
  uplinkBytes: number
  /** Payload taken from the tunnel and handed to the client. Written by `relay`. */
  downlinkBytes: number
  /** Written by the dispatcher. */
  outboundTag?: string
  /** `host:port` of the upstream proxy that carries the tunnel, where there is one. Written by the outbound. */
  server?: string
  /** How often a tunnel was tried, 0 before the first dial. Written by the outbound. */
  attempts: number
  /** The upstream ended a TLS connection without close_notify (RFC 8446 §6.1): what came may be cut short. Written by `relay`. */
  truncated?: boolean
  /** Written by `relay` (`closed`, `idle`) or the dispatcher (all others). */
  outcome?: SessionOutcome
  /** Why a session did not end in order. Written by the dispatcher. */
  error?: unknown
}

/** A session that is alive, and the right to end it. */
export interface LiveSession extends Context {
  /** Ends it as an error: its `signal` aborts with this reason. */
  cancel(reason: Error): void
}

/** The sessions of an instance that are alive, the oldest first. */
export interface LiveSessions extends Iterable<LiveSession> {
  readonly size: number
}
