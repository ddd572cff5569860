import type { FeatureSections, InboundSettings, OutboundSettings } from '../definition/settings.js'
import type { SniffingSettings } from '../contracts/sniffer.js'
import type { StreamSettings } from '../contracts/transport.js'

interface InboundEnvelope {
  /** Named by rules, counters and logs. Unique. @default '' */
  readonly tag?: string
  /** IP address, or `localhost`. @default 127.0.0.1 */
  readonly listen?: string
  /** 0: the kernel picks one. */
  readonly port: number | string
  readonly streamSettings?: StreamSettings
  /** Tell sessions by their first bytes. @default off */
  readonly sniffing?: SniffingSettings
  /** Clients connected at once; further ones are cut unheard, with a warning. @default 10_000 */
  readonly maxConnections?: number
  /** Let everybody in on a public address; without it such a listener is refused. @default false */
  readonly allowOpen?: boolean
}

interface OutboundEnvelope {
  /** Named by rules, counters and logs. Unique. @default '' */
  readonly tag?: string
  /** Local IP address to dial from. */
  readonly sendThrough?: string
  readonly streamSettings?: StreamSettings
  /** Dial through the outbound of this tag. */
  readonly proxySettings?: { readonly tag: string }
}

type Handler<Settings, Envelope> = {
  [Protocol in keyof Settings]: Envelope & { readonly protocol: Protocol, readonly settings?: Settings[Protocol] }
}[keyof Settings]

/** An inbound as a config writes it, one shape for each protocol whose package is imported; absent `settings` stand for `{}`. */
export type InboundConfig = Handler<InboundSettings, InboundEnvelope>
/** An outbound as a config writes it, one shape for each protocol whose package is imported; absent `settings` stand for `{}`. */
export type OutboundConfig = Handler<OutboundSettings, OutboundEnvelope>

/** A whole config: v2ray v4's JSON, as far as the modules at hand define it. */
export type Config = {
  readonly inbounds?: readonly InboundConfig[]
  /** The first takes every session that no rule takes. */
  readonly outbounds?: readonly OutboundConfig[]
} & { readonly [Section in keyof FeatureSections]?: FeatureSections[Section] }

/** An inbound of a config whose protocol is known only at run time. */
export interface AnyInboundConfig extends InboundEnvelope {
  readonly protocol: string
  readonly settings?: unknown
}

/** An outbound of a config whose protocol is known only at run time. */
export interface AnyOutboundConfig extends OutboundEnvelope {
  readonly protocol: string
  readonly settings?: unknown
}
