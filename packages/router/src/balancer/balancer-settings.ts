import type { JsonSchema, ObjectSchema } from '@sluice/core'

/** Makes an outbound count as slower or quicker than it is: its deviation is multiplied with the root of the value. */
export interface LoadCost {
  /** Whether `match` is an expression, not a part of the tag. @default false */
  readonly regexp?: boolean
  readonly match: string
  readonly value: number
}

/** What `leastLoad` looks at. */
export interface LeastLoadSettings {
  /** How many of the best share the sessions. @default 1 */
  readonly expected?: number
  /** Slower ones are left out, as `1s`. @default none is */
  readonly maxRTT?: string
  /** Those that failed more often are left out, 0 to 1. @default 1 */
  readonly tolerance?: number
  /** Deviations up to which all share the sessions, the first that holds `expected` of them. @default none */
  readonly baselines?: readonly string[]
  /** @default none */
  readonly costs?: readonly LoadCost[]
  /** Ignored: dead ones are always avoided. */
  readonly aliveOnly?: boolean
  /** Ignored: there is one observatory of each kind. */
  readonly observerTag?: string
}

/** How a balancer may pick; the first is the default. */
export const BALANCER_STRATEGIES = ['random', 'roundRobin', 'leastPing', 'leastLoad'] as const

/** How a balancer picks. */
export interface BalancerStrategy {
  /** @default random */
  readonly type?: (typeof BALANCER_STRATEGIES)[number]
  /** Of `leastLoad`. */
  readonly settings?: LeastLoadSettings
}

/** A group of outbounds of which one takes each session. */
export interface BalancerSettings {
  readonly tag: string
  /** Beginnings of tags: every outbound whose tag starts with one of them belongs to the group. */
  readonly selector: readonly string[]
  readonly strategy?: BalancerStrategy
  /** Takes the session where the group is empty, or nobody in it answers probes. */
  readonly fallbackTag?: string
}

const tag: JsonSchema = { type: 'string', minLength: 1 }

const cost: ObjectSchema<LoadCost> = {
  type: 'object',
  additionalProperties: false,
  required: ['match', 'value'],
  properties: {
    regexp: { type: 'boolean', description: 'Whether match is an expression', default: false },
    match: { type: 'string', description: 'Which tags' },
    value: { type: 'number', exclusiveMinimum: 0, description: 'What their deviation is multiplied with, as its root' },
  },
}

const leastLoad: ObjectSchema<LeastLoadSettings> = {
  type: 'object',
  description: 'Of leastLoad',
  additionalProperties: false,
  properties: {
    expected: { type: 'integer', minimum: 0, description: 'How many of the best share the sessions', default: 1 },
    maxRTT: { type: 'string', description: 'Slower ones are left out, as "1s"' },
    tolerance: { type: 'number', minimum: 0, maximum: 1, description: 'Those that failed more often are left out', default: 1 },
    baselines: { type: 'array', items: { type: 'string' }, description: 'Deviations up to which all share the sessions' },
    costs: { type: 'array', items: cost, description: 'What makes some count as slower' },
    aliveOnly: { type: 'boolean', description: 'Ignored' },
    observerTag: { type: 'string', description: 'Ignored' },
  },
}

export const balancerSchema: ObjectSchema<BalancerSettings> = {
  type: 'object',
  additionalProperties: false,
  required: ['tag', 'selector'],
  properties: {
    tag: { ...tag, description: 'Named by rules' },
    selector: { type: 'array', minItems: 1, items: { type: 'string' }, description: 'Beginnings of the tags of its outbounds' },
    strategy: {
      type: 'object',
      additionalProperties: false,
      properties: {
        type: { type: 'string', enum: BALANCER_STRATEGIES, description: 'How it picks', default: 'random' },
        settings: leastLoad,
      },
    },
    fallbackTag: { ...tag, description: 'Takes the session where no outbound is selected or alive' },
  },
}
