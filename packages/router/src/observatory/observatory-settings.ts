import type { JsonSchema, ObjectSchema } from '@sluice/core'

/** The section `observatory`: which outbounds are probed, for balancers that want the quickest and for all to avoid the dead. */
export interface ObservatorySettings {
  /** Beginnings of the tags of the outbounds that are probed. */
  readonly subjectSelector: readonly string[]
  /** What is asked for through each of them. @default https://www.google.com/generate_204 */
  readonly probeUrl?: string
  /** The pause between rounds, as `10s`. @default 10s */
  readonly probeInterval?: string
  /** Probe all at once, not one after the other. @default false */
  readonly enableConcurrency?: boolean
}

/** How often and how the section `burstObservatory` probes. */
export interface PingSettings {
  /** What is asked for. @default https://connectivitycheck.gstatic.com/generate_204 */
  readonly destination?: string
  /** The pause between rounds, at least 10 s. @default 1m */
  readonly interval?: string
  /** How many of the latest probes count. @default 10 */
  readonly sampling?: number
  /** How long an answer may take. @default 5s */
  readonly timeout?: string
  /** @default HEAD */
  readonly httpMethod?: 'HEAD' | 'GET'
  /** Ignored: a failure counts whatever the network is like. */
  readonly connectivity?: string
}

/** The section `burstObservatory`: as `observatory`, with a mean of several probes. */
export interface BurstObservatorySettings {
  /** Beginnings of the tags of the outbounds that are probed. */
  readonly subjectSelector: readonly string[]
  readonly pingConfig?: PingSettings
}

const selector: JsonSchema = {
  type: 'array', minItems: 1, items: { type: 'string' }, description: 'Beginnings of the tags of the outbounds that are probed',
}

const duration = (description: string, value: string): JsonSchema =>
  ({ type: 'string', description: `${description}, as "10s"`, default: value })

export const observatorySchema: ObjectSchema<ObservatorySettings> = {
  type: 'object',
  additionalProperties: false,
  required: ['subjectSelector'],
  properties: {
    subjectSelector: selector,
    probeUrl: { type: 'string', description: 'What is asked for', default: 'https://www.google.com/generate_204' },
    probeInterval: duration('Pause between rounds', '10s'),
    enableConcurrency: { type: 'boolean', description: 'Probe all at once', default: false },
  },
}

const ping: ObjectSchema<PingSettings> = {
  type: 'object',
  additionalProperties: false,
  properties: {
    destination: { type: 'string', description: 'What is asked for', default: 'https://connectivitycheck.gstatic.com/generate_204' },
    interval: duration('Pause between rounds, at least 10 s', '1m'),
    sampling: { type: 'integer', minimum: 1, maximum: 1_000, description: 'How many of the latest probes count', default: 10 },
    timeout: duration('How long an answer may take', '5s'),
    httpMethod: { type: 'string', enum: ['HEAD', 'GET'], default: 'HEAD' },
    connectivity: { type: 'string', description: 'Ignored' },
  },
}

export const burstObservatorySchema: ObjectSchema<BurstObservatorySettings> = {
  type: 'object',
  additionalProperties: false,
  required: ['subjectSelector'],
  properties: { subjectSelector: selector, pingConfig: ping },
}
