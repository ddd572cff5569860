import type { Connection } from './connection.js'
import type { Context } from './context.js'
import type { Dialer } from './dialer.js'
import type { Link } from './link.js'

/** Carries sessions to their targets in one way, as its settings say. One object serves all sessions of its handler at once. */
export interface Outbound {
  /**
   * Carries one session and settles when it has ended.
   *
   * It reaches the target first, without touching the link; then calls `link.open()`; then lets `relay` move the bytes.
   * After `open` both streams of the link have been ended when it settles, in order or by `link.abort`. Nothing is left open,
   * listened to or timed.
   *
   * @param dialer Bound to this outbound's stream settings. The same object for every session of the handler.
   * @throws {ProxyError} before `open`: why the target cannot be reached; the link is untouched. After `open`: ABORT.
   * @throws `ctx.signal.reason` as it is, when the session was cancelled.
   */
  process(ctx: Context, link: Link, dialer: Dialer): Promise<void>
  /** Called once, before any inbound listens. A rejection fails the start of the instance. */
  start?(): void | Promise<void>
  /** Called once, after the last session: frees what outlives sessions (pools, probes). */
  close?(): void | Promise<void>
}

/**
 * An outbound that can hand its tunnel over, so that others are dialled through it. Its `process` is `connect`, then
 * `link.open()`, then `relay`.
 */
export interface TunnelOutbound extends Outbound {
  /**
   * Opens a tunnel to `ctx.target`: what is written to the connection reaches the target, unchanged, and the other way round.
   * Bytes that the target sent early are read from it like any others. The connection belongs to the caller.
   *
   * @throws As `process` does before `open`.
   */
  connect(ctx: Context, dialer: Dialer): Promise<Connection>
}

/** Whether others can be dialled through this outbound without a pair of streams in between. */
export function isTunnelOutbound(outbound: Outbound): outbound is TunnelOutbound {
  return typeof (outbound as Partial<TunnelOutbound>).connect === 'function'
}

/** An outbound under its tag, together with its dialer. */
export interface OutboundHandler {
  readonly tag: string
  readonly protocol: string
  /** {@link Outbound.process} with the handler's own dialer. */
  process(ctx: Context, link: Link): Promise<void>
  /** {@link TunnelOutbound.connect} with the handler's own dialer; absent where the outbound has none. */
  readonly connect?: (ctx: Context) => Promise<Connection>
}

/** The outbounds of an instance, in the order of the config. */
export interface OutboundManager {
  /** The first outbound: it takes what no rule takes. */
  readonly default: OutboundHandler | undefined
  get(tag: string): OutboundHandler | undefined
  readonly tags: readonly string[]
}
