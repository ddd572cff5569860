import type { ObjectSchema } from '@sluice/core'

/** The limits and switches of one user level. Durations are in seconds and may be fractions. */
export interface LevelSettings {
  /** From accepting a client to its whole request; from dialling a server to its answer; 0 = no limit. @default 10 */
  readonly handshake?: number
  /** An open tunnel in which nothing moves either way ends after this; 0 = no limit. @default 300 */
  readonly connIdle?: number
  /** After the target's end, the client may stay idle for this long; 0 = ends at once. @default 2 */
  readonly uplinkOnly?: number
  /** After the client's end, the target may stay idle for this long; 0 = ends at once. @default 5 */
  readonly downlinkOnly?: number
  /** Count what users of this level send. @default false */
  readonly statsUserUplink?: boolean
  /** Count what users of this level receive. @default false */
  readonly statsUserDownlink?: boolean
  /** Accepted, and ignored with a warning. */
  readonly statsUserOnline?: boolean
  /** Accepted, and ignored with a warning: Node's own high-water marks rule. */
  readonly bufferSize?: number
}

/** Which handlers are counted by tag. */
export interface SystemSettings {
  /** @default false */
  readonly statsInboundUplink?: boolean
  /** @default false */
  readonly statsInboundDownlink?: boolean
  /** @default false */
  readonly statsOutboundUplink?: boolean
  /** @default false */
  readonly statsOutboundDownlink?: boolean
  /** Accepted, and ignored with a warning. */
  readonly overrideAccessLogDest?: boolean
}

/** The section `policy`. */
export interface PolicySettings {
  /** By user level, a decimal number from 0 to 4294967295. What a level leaves out has the default. */
  readonly levels?: Readonly<Record<string, LevelSettings>>
  readonly system?: SystemSettings
}

// Longer timers than this fire at once in Node (2³¹ − 1 ms).
const MAX_SECONDS = 2_147_483

const seconds = (description: string, byDefault: number) =>
  ({ type: 'number', minimum: 0, maximum: MAX_SECONDS, description, default: byDefault }) as const

const flag = (description: string) => ({ type: 'boolean', description, default: false }) as const

const levelSchema: ObjectSchema<LevelSettings> = {
  type: 'object',
  additionalProperties: false,
  properties: {
    handshake: seconds('Seconds for a client to send its request, and for a server to answer; 0: no limit', 10),
    connIdle: seconds('Seconds without any traffic after which a tunnel ends; 0: no limit', 300),
    uplinkOnly: seconds('Seconds that the client may stay idle after the target has ended; 0: ends at once', 2),
    downlinkOnly: seconds('Seconds that the target may stay idle after the client has ended; 0: ends at once', 5),
    statsUserUplink: flag('Count what users of this level send'),
    statsUserDownlink: flag('Count what users of this level receive'),
    statsUserOnline: { type: 'boolean', description: 'Ignored' },
    bufferSize: { type: 'number', description: 'Ignored' },
  },
}

const systemSchema: ObjectSchema<SystemSettings> = {
  type: 'object',
  additionalProperties: false,
  description: 'Which handlers are counted by tag',
  properties: {
    statsInboundUplink: flag('Count what the clients of each inbound send'),
    statsInboundDownlink: flag('Count what the clients of each inbound receive'),
    statsOutboundUplink: flag('Count what each outbound sends'),
    statsOutboundDownlink: flag('Count what each outbound receives'),
    overrideAccessLogDest: { type: 'boolean', description: 'Ignored' },
  },
}

export const policySchema: ObjectSchema<PolicySettings> = {
  type: 'object',
  additionalProperties: false,
  properties: {
    levels: {
      type: 'object',
      description: 'keys are user levels, whole numbers from 0 to 4294967295',
      patternProperties: { '^(0|[1-9][0-9]{0,9})$': levelSchema },
      additionalProperties: false,
    },
    system: systemSchema,
  },
}
