import type { ObjectSchema } from '@sluice/core'

/** Settings of a `blackhole` outbound: there are none. */
export type BlackholeOutboundSettings = Readonly<Record<never, never>>

declare module '@sluice/core' {
  interface OutboundSettings {
    blackhole: BlackholeOutboundSettings
  }
}

export const blackholeSchema: ObjectSchema<BlackholeOutboundSettings> = { type: 'object', additionalProperties: false, properties: {} }
