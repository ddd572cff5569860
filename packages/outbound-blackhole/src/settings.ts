import type { ObjectSchema } from '@sluice/core'

/** Settings of a `blackhole` outbound. */
export interface BlackholeOutboundSettings {
  /** What the client gets: `none` is refused in its own protocol, `http` is let in and answered with a 403. @default none */
  readonly response?: { readonly type: 'none' | 'http' }
}

declare module '@sluice/core' {
  interface OutboundSettings {
    blackhole: BlackholeOutboundSettings
  }
}

const response: ObjectSchema<NonNullable<BlackholeOutboundSettings['response']>> = {
  type: 'object',
  additionalProperties: false,
  required: ['type'],
  properties: {
    type: {
      type: 'string',
      enum: ['none', 'http'],
      description: 'none: refused in the client\'s own protocol; http: let in and answered with 403',
      default: 'none',
    },
  },
}

export const blackholeSchema: ObjectSchema<BlackholeOutboundSettings> = {
  type: 'object',
  additionalProperties: false,
  properties: { response: { ...response, description: 'What the client gets' } },
}
