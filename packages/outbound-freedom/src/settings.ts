import type { ObjectSchema } from '@sluice/core'

/** Whose resolver turns the target's name into an address: the dialer's own (`AsIs`), or the instance's, for one family or both. */
export type DomainStrategy = 'AsIs' | 'UseIP' | 'UseIPv4' | 'UseIPv6'

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
      enum: ['AsIs', 'UseIP', 'UseIPv4', 'UseIPv6'],
      description: 'Whether the instance\'s resolver finds the address, and of which family',
      default: 'AsIs',
    },
    redirect: { type: 'string', description: 'host:port to go to in place of the target; an empty host or port 0 keeps the target\'s' },
    userLevel: { type: 'integer', minimum: 0, description: 'Policy level of its sessions; without it, that of the inbound\'s user' },
  },
}
