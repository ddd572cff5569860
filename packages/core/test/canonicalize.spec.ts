import { describe, expect, it } from 'vitest'
import { Draft, createInstance, defineInbound, fault, isConfigError, type Config, type Fault } from '../src/index.js'
import { patientOutbound, scriptOutbound } from './memory-modules.js'
import { memoryTransport } from './memory-transport.js'

interface HouseSettings {
  readonly doors?: readonly string[]
  readonly rooms?: readonly { readonly size: number }[]
}

declare module '../src/definition/settings.js' {
  interface InboundSettings { house: HouseSettings }
}

function load(settings: unknown, envelope: object = {}): { made: unknown, told: string[] } {
  const made: { settings?: unknown } = {}
  const house = defineInbound({
    protocol: 'house',
    schema: {
      type: 'object',
      additionalProperties: false,
      properties: {
        doors: { type: 'array', items: { type: 'string' } },
        rooms: {
          type: 'array',
          items: { type: 'object', additionalProperties: false, required: ['size'], properties: { size: { type: 'number' } } },
        },
      },
    },
    upgrade: (own, draft) => {
      if (!('size' in own)) return []
      const room = {}
      draft.move(own, 'size', room, 'size')
      own['rooms'] = [room]
      return [fault(['size'], 'is read as a room', { severity: 'notice' })]
    },
    authenticates: () => true,
    create: (own) => {
      made.settings = own
      return { handle: () => Promise.resolve() }
    },
  })
  const config = { inbounds: [{ protocol: 'house', port: 1, settings, ...envelope }] } as unknown as Config
  const modules = [memoryTransport().module, house, scriptOutbound(patientOutbound)]
  const faultsOf = (): readonly Fault[] => {
    try {
      return createInstance(config, { modules }).remarks
    } catch (error) {
      if (isConfigError(error)) return error.faults
      throw error
    }
  }
  const faults = faultsOf()
  return { made: made.settings, told: faults.map(({ severity, path, message }) => `${severity} ${path} ${message}`) }
}

describe('createInstance()', () => {
  it('reads keys in whatever case and says so', () => {
    const { made, told } = load({ DOORS: ['a'], rooms: [{ Size: 1 }] }, { TAG: 'x' })
    expect(made).toEqual({ doors: ['a'], rooms: [{ size: 1 }] })
    expect(told).toEqual([
      'notice inbounds[0].TAG is read as "tag"',
      'notice inbounds[0].settings.DOORS is read as "doors"',
      'notice inbounds[0].settings.rooms[0].Size is read as "size"',
    ])
  })

  it('leaves a key whose right spelling stands beside it', () => {
    expect(load({ Doors: [], doors: ['a'] }).told).toEqual(['error inbounds[0].settings.Doors unknown key'])
  })

  it('reads one text with commas as a list', () => {
    expect(load({ doors: 'a, b,,c' })).toEqual({ made: { doors: ['a', 'b', 'c'] }, told: [] })
    expect(load({ doors: '' }).made).toEqual({ doors: [] })
  })

  it('lets a module bring old settings into the form of its schema', () => {
    expect(load({ size: 5 })).toEqual({ made: { rooms: [{ size: 5 }] }, told: ['notice inbounds[0].settings.size is read as a room'] })
  })

  it('tells faults of what was moved where it was written', () => {
    expect(load({ size: 'big' }).told).toContain('error inbounds[0].settings.size must be a number, not a string')
    expect(load({ Rooms: [{ SIZE: 'big' }, {}] }).told.filter((line) => line.startsWith('error'))).toEqual([
      'error inbounds[0].settings.Rooms[0].SIZE must be a number, not a string',
      'error inbounds[0].settings.Rooms[1].size missing',
    ])
  })

  it('leaves the config that it is given as it is', () => {
    const settings = Object.freeze({ size: 5, Doors: Object.freeze(['a']) })
    load(settings)
    expect(settings).toEqual({ size: 5, Doors: ['a'] })
  })
})

describe('Draft', () => {
  it('knows where everything stood, however often it was moved', () => {
    const draft = new Draft({ a: [{ x: 1 }, { x: 2 }], b: 'p,q' })
    const root = draft.root as { a: object[], b: unknown, list?: unknown, name?: unknown }
    draft.rename(root.a[1] as object, 'x', 'y')
    draft.replace(root, 'b', ['p', 'q'])
    draft.rename(root, 'b', 'c')
    root.list = [root.a[1]]
    expect(draft.originOf(['list', 0, 'y'])).toEqual(['a', 1, 'x'])
    expect(draft.originOf(['list', 0, 'z', 'zz'])).toEqual(['a', 1, 'z', 'zz'])
    expect(draft.originOf(['c', 1])).toEqual(['b', 1])
    expect(draft.originOf(['list'])).toEqual([])
    expect(draft.originOf([])).toEqual([])
  })

  it('copies what stands in two places twice, and a circle without end', () => {
    const shared = { n: 1 }
    const draft = new Draft({ a: shared, b: shared })
    const root = draft.root as { a: object, b: object }
    draft.rename(root.a, 'n', 'm')
    expect(root).toEqual({ a: { m: 1 }, b: { n: 1 } })
    const circle: { self?: unknown } = {}
    circle.self = circle
    expect(new Draft(circle).root).toEqual(circle)
  })
})
