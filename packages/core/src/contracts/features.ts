import type { Context } from './context.js'
import type { Sniffer, SniffingSettings } from './sniffer.js'

/** Something of an instance that is neither inbound nor outbound: policy, statistics, routing, a log … */
export interface Feature {
  /** Called once, before outbounds and inbounds start, in the order of registration. A rejection fails the start of the instance. */
  start?(): void | Promise<void>
  /** Called once, after all sessions ended, in reverse order. */
  close?(): void | Promise<void>
}

/** The limits and switches of one user level. All durations are in milliseconds. */
export interface Policy {
  /** From accepting a client to its whole request; from dialling a server to its answer; 0 = no limit. @default 10_000 */
  readonly handshakeMs: number
  /** An open tunnel in which nothing moves either way ends after this; 0 = no limit. @default 300_000 */
  readonly connIdleMs: number
  /** After the target's end, the client may stay idle for this long; 0 = ends at once, after flushing. @default 2_000 */
  readonly uplinkOnlyMs: number
  /** After the client's end, the target may stay idle for this long; 0 = ends at once, after flushing. @default 5_000 */
  readonly downlinkOnlyMs: number
  /** Count what users of this level send. @default false */
  readonly statsUserUplink: boolean
  /** Count what users of this level receive. @default false */
  readonly statsUserDownlink: boolean
}

/** Which handlers are counted by tag. */
export interface SystemPolicy {
  readonly statsInboundUplink: boolean
  readonly statsInboundDownlink: boolean
  readonly statsOutboundUplink: boolean
  readonly statsOutboundDownlink: boolean
}

/** Knows the policy of each user level; callers may keep an answer, for it does not change while the instance lives. */
export interface PolicyManager extends Feature {
  /** The policy of a level; levels that the config does not name have the defaults. */
  forLevel(level: number): Policy
  readonly system: SystemPolicy
}

/** A monotonic sum of bytes. */
export interface Counter {
  readonly value: number
  add(bytes: number): void
  /**
   * Lets a live source count too: `value` includes what `read` returns at that moment.
   * @returns Ends it: the source's last figure is added for good.
   */
  attach(read: () => number): () => void
}

/**
 * Counters by name, as v2ray names them: `inbound>>>TAG>>>traffic>>>uplink`, `outbound>>>TAG>>>…`, `user>>>NAME>>>…`.
 */
export interface StatsManager extends Feature {
  /** The counter of that name, made if need be; `undefined` where statistics are switched off. */
  counter(name: string): Counter | undefined
  /** All names with their values at this moment, sorted by name. */
  snapshot(): ReadonlyMap<string, number>
}

/** Which outbound takes a session, and by which rule. */
export interface Route {
  readonly outboundTag: string
  /** Names the rule in logs. */
  readonly rule?: string
}

/** Names the outbound of each session, asked once per session before anything is dialled; what it rejects with fails the session. */
export interface Router extends Feature {
  /** `undefined`: no rule matches, and the first outbound takes the session. A promise only where a name must be resolved. */
  route(ctx: Context): Route | undefined | Promise<Route | undefined>
  /**
   * What sniffs the sessions of an inbound, made once for each inbound that has `sniffing` switched on. A router without it sniffs
   * nothing.
   * @throws {ConfigError} with paths below `sniffing`.
   */
  sniffer?(settings: SniffingSettings): Sniffer
}

/** Resolves names for those who must: rules on IP addresses, and outbounds that dial the target themselves. */
export interface Resolver extends Feature {
  /**
   * @returns At least one IP literal, most wanted first.
   * @throws {ProxyError} DNS
   */
  resolve(name: string, options: { readonly family: 0 | 4 | 6; readonly signal: AbortSignal }): Promise<readonly string[]>
}
