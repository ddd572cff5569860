import type { ObjectSchema } from '@sluice/core'

/** Settings of a `freedom` outbound. */
export interface FreedomOutboundSettings {
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
    userLevel: { type: 'integer', minimum: 0, description: 'Policy level of its sessions; without it, that of the inbound\'s user' },
  },
}
