import type { ObjectSchema } from '@sluice/core'

/**
 * Whose resolver turns the target's name into an address: the dialer's own (`AsIs`), or the instance's, for one family, for both, or
 * for both with one of them tried first. `ForceIP…` is the same as `UseIP…`: a name without such an address is never dialled.
 */
export const DOMAIN_STRATEGIES = [
  'AsIs', 'UseIP', 'UseIPv4', 'UseIPv6', 'UseIPv4v6', 'UseIPv6v4', 'ForceIP', 'ForceIPv4', 'ForceIPv6', 'ForceIPv4v6', 'ForceIPv6v4',
] as const

/** One of {@link DOMAIN_STRATEGIES}. */
export type DomainStrategy = (typeof DOMAIN_STRATEGIES)[number]

/** Settings of a `freedom` outbound. */
export interface FreedomOutboundSettings {
  /** @default AsIs */
  readonly domainStrategy?: DomainStrategy
  /** `host:port` to go to in place of the target; an empty host or port 0 keeps the target's. @default the target */
  readonly redirect?: string
  /** The policy level of its sessions. @default that of the inbound's user */
  readonly userLevel?: number
}

declare module '@sluice/core' {
  interface OutboundSettings {
    freedom: FreedomOutboundSettings
  }
}

export const freedomSchema: ObjectSchema<FreedomOutboundSettings> = {
  type: 'object',
  additionalProperties: false,
  properties: {
    domainStrategy: {
      type: 'string',
      enum: DOMAIN_STRATEGIES,
      description: 'Whether the instance\'s resolver finds the address, and of which family',
      default: 'AsIs',
    },
    redirect: { type: 'string', description: 'host:port to go to in place of the target; an empty host or port 0 keeps the target\'s' },
    userLevel: { type: 'integer', minimum: 0, description: 'Policy level of its sessions; without it, that of the inbound\'s user' },
  },
}
