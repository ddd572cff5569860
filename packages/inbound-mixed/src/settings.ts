import { accountsSchema, type ClientAccount, type ObjectSchema } from '@sluice/core'

/** Settings of a `mixed` inbound: each of its protocols gets those that it knows. */
export interface MixedInboundSettings {
  /** With accounts, only who sends one of them is let in, in whichever protocol. @default [] */
  readonly accounts?: readonly ClientAccount[]
  /** The policy level of its sessions. @default 0 */
  readonly userLevel?: number
  /** Protocols that share the port. @default every inbound protocol that can be told by its first byte */
  readonly protocols?: readonly string[]
}

declare module '@sluice/core' {
  interface InboundSettings {
    mixed: MixedInboundSettings
  }
}

export const mixedInboundSchema: ObjectSchema<MixedInboundSettings> = {
  type: 'object',
  additionalProperties: false,
  properties: {
    accounts: accountsSchema,
    userLevel: { type: 'integer', minimum: 0, description: 'Policy level of its sessions', default: 0 },
    protocols: { type: 'array', minItems: 1, items: { type: 'string' }, description: 'Protocols that share the port; all by default' },
  },
}
