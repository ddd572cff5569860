import { formatEndpoint, type Context } from '@sluice/core'

/** A live session as GET /connections tells of it. */
export interface SessionDescription {
  readonly id: string
  /** `routing`: no outbound has it yet; `connecting`: no tunnel is open yet. */
  readonly state: 'routing' | 'connecting' | 'open'
  readonly inbound: string
  /** `host:port` of the client. */
  readonly source?: string
  /** `host:port`. */
  readonly target: string
  readonly network: Context['target']['network']
  readonly user?: string
  readonly outbound?: string
  /** `host:port` of the upstream proxy. */
  readonly server?: string
  /** As ISO 8601. */
  readonly startedAt: string
  readonly attempts: number
  readonly uplinkBytes: number
  readonly downlinkBytes: number
}

/** What a session does at this moment. */
export function describeSession({ id, inboundTag, source, target, user, record }: Context): SessionDescription {
  const { outboundTag, server, startedAt, establishedMs, attempts, uplinkBytes, downlinkBytes } = record
  return {
    id,
    state: establishedMs !== undefined ? 'open' : outboundTag === undefined ? 'routing' : 'connecting',
    inbound: inboundTag,
    ...(source === undefined ? {} : { source: formatEndpoint(source) }),
    target: formatEndpoint(target),
    network: target.network,
    ...(user === undefined ? {} : { user: user.name }),
    ...(outboundTag === undefined ? {} : { outbound: outboundTag }),
    ...(server === undefined ? {} : { server }),
    startedAt: new Date(startedAt).toISOString(),
    attempts,
    uplinkBytes,
    downlinkBytes,
  }
}
