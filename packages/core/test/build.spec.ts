import { describe, expect, it } from 'vitest'
import {
  ConfigError, createInstance, createToken, defineFeature, defineOutbound, DEFAULT_POLICY, EVENTS, fault, inject, injectable, isConfigError, OUTBOUND_MANAGER,
  POLICY_MANAGER, RESOLVER, ROUTER, SETTINGS, STATS_MANAGER, TAG,
  type Config, type Feature, type InstanceEvents, type Module, type OutboundManager, type PolicyManager,
} from '../src/index.js'
import { faultLines } from './config-faults.js'
import { lineInbound, patientOutbound, scriptOutbound, type ScriptSettings } from './memory-modules.js'
import { memoryTransport } from './memory-transport.js'

interface LabelSettings {
  readonly label?: string
}

declare module '../src/definition/settings.js' {
  interface FeatureSections { label: LabelSettings; spare: Record<string, never> }
}

const LABEL = createToken<Feature & { readonly text: string }>('Label', '@test/label')
const ABSENT = createToken<Feature>('Clock', '@test/clock')
const scriptSchema = { type: 'object', additionalProperties: false, properties: { note: { type: 'string' } } } as const
const labelSchema = { type: 'object', additionalProperties: false, properties: { label: { type: 'string' } } } as const

const labelFeature = defineFeature({
  section: 'label', provides: LABEL, schema: labelSchema, create: ({ label = 'none' }) => ({ text: label }),
})

describe('createInstance()', () => {
  it('constructs a handler from its own settings and tag, and from what the instance has', () => {
    const made: unknown[] = []
    @injectable()
    class Curious {
      constructor(
        @inject(SETTINGS) settings: ScriptSettings, @inject(TAG) tag: string, @inject(EVENTS) events: InstanceEvents,
        @inject(OUTBOUND_MANAGER) outbounds: OutboundManager, @inject(POLICY_MANAGER) policies: PolicyManager, @inject(LABEL) label: { readonly text: string },
      ) {
        made.push({ settings, tag, events, outbounds, policies: policies.forLevel(7), label: label.text })
      }

      process = patientOutbound.process
    }
    const modules = [memoryTransport().module, labelFeature, defineOutbound({ protocol: 'script', schema: scriptSchema, useClass: Curious })]
    const config: Config = { label: { label: 'x' }, outbounds: [{ tag: 'a', protocol: 'script', settings: { note: 'n' } }, { protocol: 'script' }] }
    const instance = createInstance(config, { modules })
    const common = { events: instance.events, outbounds: instance.get(OUTBOUND_MANAGER), policies: DEFAULT_POLICY, label: 'x' }
    expect(made).toEqual([{ ...common, settings: { note: 'n' }, tag: 'a' }, { ...common, settings: {}, tag: '' }])
    expect(instance.get(OUTBOUND_MANAGER).tags).toEqual(['a'])
    expect(instance.get(OUTBOUND_MANAGER).default?.tag).toBe('a')
  })

  it('hands over the sections of the config, and what features resolve', () => {
    const later = defineFeature({
      section: 'spare', schema: { type: 'object', additionalProperties: false, properties: {} }, optional: true,
      create: (_, resolve) => {
        throw new ConfigError([fault(['seen'], `the label is "${resolve(LABEL).text}"`)])
      },
    })
    const modules = [memoryTransport().module, labelFeature, later]
    expect(faultLines({ label: { label: 'x' }, spare: {} }, modules)).toEqual(['spare.seen: the label is "x"'])
    expect(faultLines({ label: { label: 'x' } }, modules)).toEqual([])
  })

  it('says before anything starts what a class needs, and who provides it', () => {
    @injectable()
    class Needy {
      constructor(@inject(LABEL) readonly label: Feature, @inject(ABSENT) readonly clock: Feature) {}

      process = patientOutbound.process
    }
    const modules = [memoryTransport().module, defineOutbound({ protocol: 'script', schema: scriptSchema, useClass: Needy })]
    expect(faultLines({ outbounds: [{ protocol: 'script' }, { protocol: 'script' }] }, modules)).toEqual([0, 1].flatMap((index) => [
      `outbounds[${index}]: needs the Label of @test/label (register the module that provides it)`,
      `outbounds[${index}]: needs the Clock of @test/clock (register the module that provides it)`,
    ]))
  })

  it('tells what all constructors find wrong, each in its own settings', () => {
    const refuse = (): never => {
      throw new ConfigError([fault([], 'is refused'), fault(['note'], 'is wrong'), fault([0], 'is no list')])
    }
    const modules = [
      memoryTransport().module,
      defineFeature({ section: 'label', schema: labelSchema, create: refuse }),
      defineOutbound({ protocol: 'script', schema: scriptSchema, create: refuse }),
      lineInbound,
    ]
    expect(faultLines({ outbounds: [{ protocol: 'script' }], inbounds: [{ protocol: 'line', port: 0 }] }, modules)).toEqual([
      'label: is refused', 'label.note: is wrong', 'label[0]: is no list',
      'outbounds[0].settings: is refused', 'outbounds[0].settings.note: is wrong', 'outbounds[0].settings[0]: is no list',
    ])
  })

  it('does not start without what a constructor refused, however mildly', () => {
    const outbound = scriptOutbound(() => {
      throw new ConfigError([fault([], 'is odd', { severity: 'warning' })])
    })
    expect(() => createInstance({ outbounds: [{ protocol: 'script' }] }, { modules: [memoryTransport().module, outbound] })).toThrow(ConfigError)
  })

  it('places what a dialer or listener refuses at its handler', () => {
    const { module } = memoryTransport()
    class Strict {
      create(): never {
        throw new ConfigError([fault(['streamSettings', 'security'], 'is not built')])
      }
    }
    const modules: Module[] = [{ ...module, dialers: Strict, listeners: Strict }, lineInbound, scriptOutbound(patientOutbound)]
    expect(faultLines({ inbounds: [{ protocol: 'line', port: 0 }], outbounds: [{ protocol: 'script' }] }, modules)).toEqual([
      'outbounds[0].streamSettings.security: is not built',
      'inbounds[0].streamSettings.security: is not built',
    ])
  })

  it('passes a constructor\'s own bug on as it is', () => {
    const boom = new TypeError('boom')
    const outbound = scriptOutbound(() => {
      throw boom
    })
    expect(() => createInstance({ outbounds: [{ protocol: 'script' }] }, { modules: [memoryTransport().module, outbound] })).toThrow(boom)
  })

  it('gives dialers and listeners their part of the config', () => {
    const transport = memoryTransport()
    createInstance({
      inbounds: [{ protocol: 'line', port: '1080', listen: '::1', streamSettings: {} }],
      outbounds: [{ protocol: 'script', tag: 'a', sendThrough: '192.0.2.1' }, { protocol: 'script', proxySettings: { tag: 'a' } }],
    }, { modules: [transport.module, lineInbound, scriptOutbound(patientOutbound)] })
    expect(transport.listeners.map(({ spec }) => spec)).toEqual([{ listen: '::1', port: 1080, stream: {}, handshakeMs: DEFAULT_POLICY.handshakeMs }])
    expect(transport.dialers).toEqual([
      { tag: 'a', stream: {}, localAddress: '192.0.2.1' },
      { tag: '', stream: {}, through: expect.any(Function) },
    ])
    const { through } = transport.dialers[1] as { through: () => { tag: string } }
    expect(through().tag).toBe('a')
  })

  it('tells a listener what its protocol would agree on over TLS', () => {
    const transport = memoryTransport()
    const modules = [transport.module, { ...lineInbound, alpn: ['line/2', 'line/1'] }, scriptOutbound(patientOutbound)]
    createInstance({ inbounds: [{ protocol: 'line', port: 1 }] }, { modules })
    expect(transport.listeners.map(({ spec }) => spec.alpn)).toEqual([['line/2', 'line/1']])
  })

  it('T10 keeps a frozen copy of the config', () => {
    let seen: ScriptSettings = {}
    const outbound = scriptOutbound((settings) => {
      seen = settings
      return patientOutbound
    })
    const settings = { note: 'before' }
    createInstance({ outbounds: [{ protocol: 'script', settings }] }, { modules: [memoryTransport().module, outbound] })
    settings.note = 'after'
    expect(seen.note).toBe('before')
    expect(Object.isFrozen(seen)).toBe(true)
    expect(Object.isFrozen(settings)).toBe(false)
  })

  it('has defaults in place of the features that are missing', async () => {
    const instance = createInstance({}, { modules: [memoryTransport().module] })
    expect(instance.get(POLICY_MANAGER).forLevel(3)).toEqual({
      handshakeMs: 10_000, connIdleMs: 300_000, uplinkOnlyMs: 2_000, downlinkOnlyMs: 5_000, statsUserUplink: false, statsUserDownlink: false,
    })
    expect(instance.get(POLICY_MANAGER).system.statsInboundUplink).toBe(false)
    expect(instance.get(STATS_MANAGER).counter('a')).toBeUndefined()
    expect(instance.get(STATS_MANAGER).snapshot().size).toBe(0)
    expect(await instance.get(ROUTER).route({} as never)).toBeUndefined()
    await expect(instance.get(RESOLVER).resolve('a.test', { family: 0, signal: new AbortController().signal })).rejects.toMatchObject({ code: 'DNS' })
  })

  it('resolves names by the transport where no feature does', () => {
    const { module } = memoryTransport()
    class SystemResolver {
      resolve(): Promise<readonly string[]> {
        return Promise.resolve(['192.0.2.1'])
      }
    }
    expect(createInstance({}, { modules: [{ ...module, resolver: SystemResolver }] }).get(RESOLVER)).toBeInstanceOf(SystemResolver)
  })

  it('shares nothing between two instances of the same modules', () => {
    const modules = [memoryTransport().module, lineInbound, labelFeature, scriptOutbound(patientOutbound)]
    const config: Config = { outbounds: [{ protocol: 'script', tag: 'a' }] }
    const [one, other] = [createInstance(config, { modules }), createInstance(config, { modules })]
    expect(one.events).not.toBe(other.events)
    expect(one.get(LABEL)).not.toBe(other.get(LABEL))
    expect(one.get(OUTBOUND_MANAGER).get('a')).not.toBe(other.get(OUTBOUND_MANAGER).get('a'))
  })

  it('throws one ConfigError with remarks and errors together', () => {
    const warned = defineFeature({
      section: 'label', schema: labelSchema, check: () => [fault(['label'], 'is ignored', { severity: 'warning' })], create: () => ({}),
    })
    const modules = [memoryTransport().module, warned]
    expect(createInstance({ label: {} }, { modules }).remarks).toEqual([{ path: 'label.label', message: 'is ignored', severity: 'warning' }])
    expect(isConfigError(thrownBy(() => createInstance({ label: {}, x: 1 } as Config, { modules })))).toBe(true)
    expect(faultLines({ label: {}, x: 1 }, modules)).toEqual(['warning label.label: is ignored', 'x: unknown key'])
  })
})

function thrownBy(act: () => unknown): unknown {
  try {
    return act()
  } catch (error) {
    return error
  }
}
