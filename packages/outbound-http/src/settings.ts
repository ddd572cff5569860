import { portSchema, type JsonSchema, type ObjectSchema } from '@sluice/core'

/** An account on an upstream proxy. */
export interface AccountSettings {
  /** Must not hold a colon or a control character (RFC 7617 §2). */
  readonly user: string
  /** Must not hold a control character. @default '' */
  readonly pass?: string
  /** The policy level of sessions that use this account. @default 0 */
  readonly level?: number
  /** A label, as v2ray has it; without effect. @default '' */
  readonly email?: string
}

/** An upstream HTTP proxy. */
export interface ServerSettings {
  /** Domain name or IP address, without scheme, port or brackets. */
  readonly address: string
  readonly port: number | string
  /** One of them is picked at random for each attempt; none: no credentials are sent. */
  readonly users?: readonly AccountSettings[]
  /** In place of the outbound's own `halfClose`. */
  readonly halfClose?: HalfClose
}

/**
 * Whether the client's end is passed on to the target: `propagate`, or `hold` for proxies that tear the tunnel down at it and lose
 * the answer (squid, tinyproxy). With `hold` the tunnel ends when the target ends, or after the policy's `downlinkOnly`.
 */
export type HalfClose = 'propagate' | 'hold'

/** Settings of an `http` outbound: v2ray's `servers`, and options that v2ray does not have, all neutral by default. */
export interface HttpOutboundSettings {
  /** Used in turn, one attempt each. */
  readonly servers: readonly ServerSettings[]
  /** Fields added to each CONNECT request; names keep their case. A `Proxy-Connection` here replaces ours. @default {} */
  readonly headers?: Readonly<Record<string, string>>
  /**
   * Which HTTP to speak: `auto` takes what ALPN picks, and HTTP/1.1 without TLS; `2` without TLS is prior knowledge
   * (RFC 9113 §3.3). @default auto
   */
  readonly version?: 'auto' | '1.1' | '2'
  /** HTTP/2 connections to one server for one account; tunnels past what they take wait. @default 256 */
  readonly maxConnections?: number
  /** @default propagate */
  readonly halfClose?: HalfClose
  /**
   * Tell the client at once that its tunnel is open, which saves it a round trip; its payload still waits for the server's 2xx. A
   * failure can then only be shown as a reset. @default false
   */
  readonly optimisticOpen?: boolean
  /**
   * As `optimisticOpen`, and over HTTP/2 the client's payload goes with the request, which saves the payload that round trip too. Once
   * some has gone the session is tried nowhere else. Over HTTP/1.1 payload waits for the 2xx (RFC 9931). Of no effect for what is
   * dialled through this outbound. @default false
   */
  readonly earlyData?: boolean
}

declare module '@sluice/core' {
  interface OutboundSettings {
    http: HttpOutboundSettings
  }
}

const halfClose: JsonSchema = {
  type: 'string',
  enum: ['propagate', 'hold'],
  description: 'Whether the client\'s end is passed on to the target, or held back for proxies that lose the answer then',
  default: 'propagate',
}

const account: ObjectSchema<AccountSettings> = {
  type: 'object',
  additionalProperties: false,
  required: ['user'],
  properties: {
    user: { type: 'string', description: 'User name, without a colon' },
    pass: { type: 'string', description: 'Password', default: '', writeOnly: true },
    level: { type: 'integer', minimum: 0, description: 'Policy level of sessions that use this account', default: 0 },
    email: { type: 'string', description: 'A label without effect', default: '' },
  },
}

const server: ObjectSchema<ServerSettings> = {
  type: 'object',
  additionalProperties: false,
  required: ['address', 'port'],
  properties: {
    address: { type: 'string', minLength: 1, description: 'Domain name or IP address of the upstream proxy' },
    port: portSchema,
    users: { type: 'array', items: account, description: 'Accounts, one of them picked at random for each attempt', default: [] },
    halfClose,
  },
}

export const httpOutboundSchema: ObjectSchema<HttpOutboundSettings> = {
  type: 'object',
  additionalProperties: false,
  required: ['servers'],
  properties: {
    servers: { type: 'array', minItems: 1, items: server, description: 'Upstream proxies, used in turn, one attempt each' },
    headers: {
      type: 'object',
      additionalProperties: { type: 'string', writeOnly: true },
      description: 'Fields added to each CONNECT request',
      default: {},
    },
    version: {
      type: 'string', enum: ['auto', '1.1', '2'], description: 'Which HTTP to speak; auto takes what ALPN picks', default: 'auto',
    },
    maxConnections: { type: 'integer', minimum: 1, description: 'HTTP/2 connections to one server for one account', default: 256 },
    halfClose,
    optimisticOpen: {
      type: 'boolean', description: 'Tell the client at once that its tunnel is open; a failure is then a reset', default: false,
    },
    earlyData: {
      type: 'boolean',
      description: 'As optimisticOpen, and over HTTP/2 payload goes with the request; once some has, no other server is tried',
      default: false,
    },
  },
}
