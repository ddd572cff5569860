import { describe, expect, it } from 'vitest'
import {
  defineFeature, defineInbound, defineOutbound, POLICY_MANAGER, ROUTER, STATS_MANAGER,
  type Config, type Feature, type InboundConfig, type ObjectSchema, type Outbound, type OutboundConfig,
} from '../src/index.js'
import { faultLines } from './config-faults.js'
import { lineInbound, patientOutbound, scriptOutbound, type LineInboundSettings, type ScriptSettings } from './memory-modules.js'
import { memoryTransport } from './memory-transport.js'

declare module '../src/definition/settings.js' {
  interface FeatureSections { typed: { readonly on?: boolean } }
}

// The compiler is the test here: each line that it must refuse says so. What it cannot see, the check at load refuses.
const modules = [memoryTransport().module, lineInbound, scriptOutbound(patientOutbound)]

const schema: ObjectSchema<ScriptSettings> = { type: 'object', additionalProperties: false, properties: { note: { type: 'string' } } }

describe('Config', () => {
  it('refuses a protocol that no module has', () => {
    // @ts-expect-error there is no such protocol
    const inbound: InboundConfig = { protocol: 'sock', port: 1080 }
    // @ts-expect-error nor this one
    const outbound: OutboundConfig = { protocol: 'line' }
    expect(faultLines({ inbounds: [inbound], outbounds: [outbound] }, modules)).toEqual([
      'inbounds[0].protocol: unknown protocol "sock" (known are "line")',
      'outbounds[0].protocol: unknown protocol "line" (known are "script")',
    ])
  })

  it('refuses settings of another protocol, wrong types and missing ports', () => {
    const good: Config = { inbounds: [{ protocol: 'line', port: '1080', settings: { user: 'a' } }], outbounds: [{ protocol: 'script', settings: { note: 'a' } }] }
    const bad: Config = {
      // @ts-expect-error a setting of the other protocol
      inbounds: [{ protocol: 'line', port: 1, settings: { note: 'a' } }],
      // @ts-expect-error a note is a text
      outbounds: [{ protocol: 'script', settings: { note: 5 } }],
    }
    // @ts-expect-error an inbound needs a port
    const portless: InboundConfig = { protocol: 'line' }
    expect(faultLines(good, modules)).toEqual([])
    expect(faultLines({ ...bad, inbounds: [...bad.inbounds ?? [], portless] }, modules)).toHaveLength(3)
  })

  it('refuses a section that no module has', () => {
    // @ts-expect-error there is no such section
    const config: Config = { polcy: {} }
    expect(faultLines(config, modules)).toEqual(['polcy: unknown key'])
  })
})

describe('defineInbound() and defineOutbound()', () => {
  it('refuse a protocol without a settings type', () => {
    // @ts-expect-error no package declares settings of this name
    expect(defineOutbound({ protocol: 'nameless', schema: { type: 'object', additionalProperties: false, properties: {} }, create: () => patientOutbound }).kind).toBe('outbound')
  })

  it('refuse a schema that lacks a setting, has another, or lets unknown ones through', () => {
    // @ts-expect-error the schema lacks `note`
    const lacking: ObjectSchema<ScriptSettings> = { type: 'object', additionalProperties: false, properties: {} }
    // @ts-expect-error the type lacks `more`
    const other: ObjectSchema<ScriptSettings> = { type: 'object', additionalProperties: false, properties: { note: {}, more: {} } }
    // @ts-expect-error unknown keys would pass
    const open: ObjectSchema<ScriptSettings> = { type: 'object', additionalProperties: true, properties: { note: {} } }
    // @ts-expect-error the schema of another protocol
    const swapped: ObjectSchema<LineInboundSettings> = schema
    expect([lacking, other, open, swapped]).toHaveLength(4)
  })

  it('refuse an outbound without process and an inbound without handle', () => {
    class Idle {
      start(): void {}
    }
    // @ts-expect-error an outbound has process()
    const outbound = defineOutbound({ protocol: 'script', schema, useClass: Idle })
    // @ts-expect-error and so has what create() makes
    const created = defineOutbound({ protocol: 'script', schema, create: () => new Idle() })
    // @ts-expect-error an inbound has handle()
    const inbound = defineInbound({ protocol: 'line', schema: lineInbound.schema as ObjectSchema<LineInboundSettings>, authenticates: () => true, useClass: Idle })
    expect([outbound.kind, created.kind, inbound.kind]).toEqual(['outbound', 'outbound', 'inbound'])
  })

  it('give check, authenticates and create the type of the settings', () => {
    const outbound = defineOutbound({
      protocol: 'script',
      schema,
      // @ts-expect-error there is no such setting
      check: ({ nota }) => (nota === undefined ? [] : []),
      create: ({ note }): Outbound => (note?.startsWith('x') === true ? patientOutbound : patientOutbound),
    })
    expect(outbound.protocol).toBe('script')
  })
})

describe('defineFeature()', () => {
  const typed = { section: 'typed', schema: { type: 'object', additionalProperties: false, properties: { on: { type: 'boolean' } } } } as const

  it('takes for a token only what the token stands for', () => {
    const router = defineFeature({ ...typed, provides: ROUTER, create: () => ({ route: () => undefined }) })
    // @ts-expect-error a router is no policy manager
    const policies = defineFeature({ ...typed, provides: POLICY_MANAGER, create: () => ({ route: () => undefined }) })
    class Counters {
      snapshot(): ReadonlyMap<string, number> {
        return new Map()
      }
    }
    // @ts-expect-error counter() is missing
    const stats = defineFeature({ ...typed, provides: STATS_MANAGER, useClass: Counters })
    expect([router.kind, policies.kind, stats.kind]).toEqual(['feature', 'feature', 'feature'])
  })

  it('takes a feature that provides nothing and only starts and ends', () => {
    const feature: Feature = { start: () => {}, close: () => Promise.resolve() }
    expect(defineFeature({ ...typed, create: () => feature }).section).toBe('typed')
  })
})
