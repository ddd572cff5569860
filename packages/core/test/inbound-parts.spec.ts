import { describe, expect, it } from 'vitest'
import {
  createInstance, defineInbound, fault, inject, injectable, INBOUND_PARTS, SETTINGS, TAG,
  type Inbound, type InboundPart, type InboundParts, type Module,
} from '../src/index.js'
import { faultLines } from './config-faults.js'
import { memoryTransport } from './memory-transport.js'

interface PartSettings {
  readonly word?: string
  readonly level?: number
}

interface SeveralSettings {
  readonly word?: string
  readonly level?: unknown
  readonly only?: string
}

declare module '../src/definition/settings.js' {
  interface InboundSettings { wordy: PartSettings; silent: PartSettings; several: SeveralSettings }
}

const schema = { type: 'object', additionalProperties: false, properties: { word: { type: 'string' }, level: { type: 'integer' } } } as const

class Part implements Inbound {
  readonly settings: unknown
  readonly tag: string

  constructor(settings: unknown, tag: string) {
    this.settings = settings
    this.tag = tag
  }

  handle(): Promise<void> {
    return Promise.resolve()
  }
}

@injectable()
class InjectedPart extends Part {
  constructor(@inject(SETTINGS) settings: PartSettings, @inject(TAG) tag: string) {
    super(settings, tag)
  }
}

const wordy = defineInbound({
  protocol: 'wordy', schema, authenticates: () => true, claims: (byte) => byte === 0x77, useClass: InjectedPart,
  check: ({ word }) => [fault(['word'], 'is much used', { severity: 'warning' }), ...(word === 'bad' ? [fault(['word'], 'is bad')] : [])],
})
const silent = defineInbound({ protocol: 'silent', schema, authenticates: () => true, create: (settings) => new Part(settings, '') })

/** Makes a part of the protocol that it is told, with all of its own settings. */
function several(made: InboundPart[], seen: InboundParts[] = []): Module {
  @injectable()
  class Several extends Part {
    constructor(@inject(SETTINGS) settings: SeveralSettings, @inject(TAG) tag: string, @inject(INBOUND_PARTS) parts: InboundParts) {
      super(settings, tag)
      seen.push(parts)
      made.push(parts.create(settings.only ?? 'wordy', { ...settings }, tag))
    }
  }
  return defineInbound({
    protocol: 'several', authenticates: () => true, useClass: Several,
    schema: { type: 'object', additionalProperties: false, properties: { word: { type: 'string' }, level: {}, only: { type: 'string' } } },
  })
}

const configOf = (settings: SeveralSettings): object => ({ inbounds: [{ protocol: 'several', port: 1080, tag: 'in', settings }] })

describe('the parts of an inbound for several protocols', () => {
  it('are the registered protocols that can be told by their first byte', () => {
    const seen: InboundParts[] = []
    createInstance(configOf({}), { modules: [memoryTransport().module, silent, wordy, several([], seen)] })
    expect(seen[0]?.protocols).toEqual(['wordy'])
  })

  it('have those settings that are theirs, and the tag', () => {
    const made: InboundPart[] = []
    createInstance(configOf({ word: 'w', level: 3 }), { modules: [memoryTransport().module, wordy, several(made)] })
    expect(made).toMatchObject([{ protocol: 'wordy', authenticates: true, inbound: { settings: { word: 'w', level: 3 }, tag: 'in' } }])
    expect([made[0]?.claims(0x77), made[0]?.claims(5)]).toEqual([true, false])
  })

  it('are refused for settings that they would refuse by themselves, and not for a warning', () => {
    const modules = [memoryTransport().module, wordy, several([])]
    expect(faultLines(configOf({ level: 'high' }), modules)).toEqual(['inbounds[0].settings.level: must be an integer, not a string'])
    expect(faultLines(configOf({ word: 'bad' }), modules)).toEqual(['warning inbounds[0].settings.word: is much used', 'inbounds[0].settings.word: is bad'])
    expect(faultLines(configOf({ word: 'good' }), modules)).toEqual([])
  })

  it.each(['silent', 'unknown', 'several'])('cannot be of the protocol %s, which cannot be told', (only) => {
    expect(() => createInstance(configOf({ only }), { modules: [memoryTransport().module, silent, wordy, several([])] }))
      .toThrow(new TypeError(`Protocol "${only}" cannot be told by its first byte`))
  })
})
