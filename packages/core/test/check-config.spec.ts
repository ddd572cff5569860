import { describe, expect, it } from 'vitest'
import { defineFeature, defineInbound, fault, type Module } from '../src/index.js'
import { faultLines, faultsOf } from './config-faults.js'
import { lineInbound, patientOutbound, scriptOutbound } from './memory-modules.js'
import { memoryTransport } from './memory-transport.js'

declare module '../src/definition/settings.js' {
  interface FeatureSections { picky: { readonly tags?: readonly string[] } }
  interface InboundSettings { remarking: Record<string, never> }
}

const pickyFeature = defineFeature({
  section: 'picky',
  schema: { type: 'object', additionalProperties: false, properties: { tags: { type: 'array', items: { type: 'string' } } } },
  check: ({ tags = [] }, { inbounds, outbounds }) => tags.flatMap((tag, index) =>
    inbounds.has(tag) || outbounds.has(tag) ? [] : [fault(['tags', index], `nobody has the tag "${tag}"`)]),
  create: () => ({}),
})

/** Has something to say about any settings, and authenticates nobody. */
const remarkingInbound = defineInbound({
  protocol: 'remarking',
  schema: { type: 'object', additionalProperties: false, properties: {} },
  check: () => [fault([], 'is a mere example', { severity: 'warning' })],
  authenticates: () => false,
  create: () => ({ handle: () => Promise.resolve() }),
})

const modules: readonly Module[] = [memoryTransport().module, lineInbound, scriptOutbound(patientOutbound), pickyFeature, remarkingInbound]

const check = (config: unknown): string[] => faultLines(config, modules)

const inbound = (more: object = {}): object => ({ protocol: 'line', port: 1080, ...more })
const outbound = (more: object = {}): object => ({ protocol: 'script', ...more })

describe('the check of a config', () => {
  it('finds nothing wrong with a good one, nor with an empty one', () => {
    expect(check({ inbounds: [inbound({ tag: 'in' })], outbounds: [outbound({ tag: 'a' }), outbound({ tag: 'b', proxySettings: { tag: 'a' } })] })).toEqual([])
    expect(check({})).toEqual([])
  })

  it('tells four mistakes as four faults, all at once', () => {
    expect(check({
      inbounds: [inbound({ tag: 'in', port: 99_999 })],
      outbounds: [{ protocol: 'scirpt' }, outbound({ tag: 'in2', settings: { nota: 'x' } })],
      routting: {},
    })).toEqual([
      'routting: unknown key',
      'inbounds[0].port: must be a port from 0 to 65535 (0: any free one), not 99999',
      'outbounds[0].protocol: unknown protocol "scirpt" (did you mean "script"?)',
      'outbounds[1].settings.nota: unknown key (did you mean "note"?)',
    ])
  })

  it.each([null, [], 'text', 5, true, undefined])('refuses %j as a whole', (config) => {
    expect(check(config)).toEqual([': must be an object'])
  })

  it('places a handler by its index also behind something that is none', () => {
    expect(check({ inbounds: [null, inbound({ port: -1 })], outbounds: 'none' })).toEqual([
      'inbounds[0]: must be an object',
      'inbounds[1].port: must be a port from 0 to 65535 (0: any free one), not -1',
      'outbounds: must be a list',
    ])
    expect(check({ outbounds: [5, outbound({ tag: 'a' }), [], outbound({ tag: 'a' })] })).toEqual([
      'outbounds[0]: must be an object',
      'outbounds[2]: must be an object',
      'outbounds[3].tag: "a" is the tag of outbounds[1] already',
    ])
  })

  it('tells what a handler lacks, and lists the protocols where none is near', () => {
    expect(check({ inbounds: [{}], outbounds: [{ protocol: 'vmess' }, { protocol: 5 }] })).toEqual([
      'inbounds[0].protocol: missing',
      'inbounds[0].port: missing',
      'outbounds[0].protocol: unknown protocol "vmess" (known are "script")',
      'outbounds[1].protocol: must be a string, not a number',
    ])
  })

  it.each([0, 1, 65_535, '1', '1080', '065535', '65535'])('takes the port %j', (port) => {
    expect(check({ inbounds: [inbound({ port })] })).toEqual([])
  })

  it.each([-1, 65_536, 1.5, '0', '65536', '99999', '', ' 80', '80 ', '0x50', '1e3', '-1', 'http', null, [80]])('refuses the port %j', (port) => {
    expect(check({ inbounds: [inbound({ port })] })).toHaveLength(1)
  })

  it('tells tags that stand twice, for inbounds and outbounds apart', () => {
    expect(check({
      inbounds: [inbound({ tag: 'a' }), inbound({ tag: 'b' }), inbound({ tag: 'a' }), inbound(), inbound({ tag: '' }), inbound({ tag: '' })],
      outbounds: [outbound({ tag: 'a' }), outbound({ tag: 'a' })],
    })).toEqual([
      'inbounds[2].tag: "a" is the tag of inbounds[0] already',
      'outbounds[1].tag: "a" is the tag of outbounds[0] already',
    ])
  })

  it('tells a chain to an outbound that does not exist', () => {
    expect(check({ outbounds: [outbound({ tag: 'first' }), outbound({ tag: 'b', proxySettings: { tag: 'frist' } }), outbound({ proxySettings: {} })] })).toEqual([
      'outbounds[1].proxySettings.tag: no outbound has the tag "frist" (did you mean "first"?)',
      'outbounds[2].proxySettings.tag: missing',
    ])
  })

  it('tells every member of a circle of chains, and nobody who only leads into it', () => {
    const through = (tag: string, next: string): object => outbound({ tag, proxySettings: { tag: next } })
    expect(check({ outbounds: [through('a', 'b'), through('b', 'c'), through('c', 'b'), through('d', 'd'), outbound({ tag: 'e' })] })).toEqual([
      'outbounds[1].proxySettings.tag: goes round in a circle: b → c → b',
      'outbounds[2].proxySettings.tag: goes round in a circle: c → b → c',
      'outbounds[3].proxySettings.tag: goes round in a circle: d → d',
    ])
  })

  it('tells a wrong chain setting and goes on', () => {
    expect(check({ outbounds: [outbound({ tag: 'a', proxySettings: 'b' }), outbound({ tag: 'b', proxySettings: { tag: 5 } }), outbound({ proxySettings: null })] })).toEqual([
      'outbounds[0].proxySettings: must be an object, not a string',
      'outbounds[1].proxySettings.tag: must be a string, not a number',
      'outbounds[2].proxySettings: must be an object, not null',
    ])
  })

  it('checks a section by its schema, and only then by its own check, with the tags that there are', () => {
    const tags = { inbounds: [inbound({ tag: 'in' })], outbounds: [outbound({ tag: 'out' })] }
    expect(check({ ...tags, picky: { tags: ['in', 'out', 'it'] } })).toEqual(['picky.tags[2]: nobody has the tag "it"'])
    expect(check({ ...tags, picky: { tags: ['it', 5] } })).toEqual(['picky.tags[1]: must be a string, not a number'])
    expect(check({ ...tags, picky: null })).toEqual(['picky: must be an object, not null'])
  })

  it('takes a config of a thousand chained outbounds in no time', () => {
    const startedAt = performance.now()
    const outbounds = Array.from({ length: 1_000 }, (_, index) => outbound({ tag: `o${index}`, ...(index > 0 ? { proxySettings: { tag: `o${index - 1}` } } : {}) }))
    expect(check({ outbounds })).toEqual([])
    expect(performance.now() - startedAt).toBeLessThan(5_000)
  })
})

describe('the check for open proxies', () => {
  const lines = (more: object): string[] => check({ inbounds: [inbound(more)] })
  const hint = 'add accounts, listen on 127.0.0.1, or say "allowOpen": true'

  it.each(['0.0.0.0', '::', '192.0.2.1', '128.0.0.1', '::ffff:127.0.0.1', 'example.com', '127.0.0.1.example.com', '127.1'])('refuses %s without accounts', (listen) => {
    expect(lines({ listen })).toEqual([`inbounds[0].listen: would let anybody use this proxy: ${listen} is public and there are no accounts (${hint})`])
  })

  it.each(['127.0.0.1', '127.9.9.9', '::1', 'localhost'])('takes %s without accounts', (listen) => {
    expect(lines({ listen })).toEqual([])
  })

  it('takes a public address with accounts, with allowOpen, and listens on loopback where none is named', () => {
    expect(lines({ listen: '0.0.0.0', settings: { user: 'a', pass: 'b' } })).toEqual([])
    expect(lines({ listen: '0.0.0.0', allowOpen: true })).toEqual([])
    expect(lines({})).toEqual([])
    const transport = memoryTransport()
    faultLines({ inbounds: [inbound()] }, [transport.module, lineInbound])
    expect(transport.listeners[0]?.spec.listen).toBe('127.0.0.1')
  })

  it('is not put off by a mere warning about the settings', () => {
    expect(check({ inbounds: [{ protocol: 'remarking', port: 1, listen: '0.0.0.0' }] })).toEqual([
      'warning inbounds[0].settings: is a mere example',
      expect.stringContaining('inbounds[0].listen: would let anybody use this proxy'),
    ])
  })

  it.each([['allowOpen', 'true'], ['allowOpen', 1], ['listen', 5], ['listen', '']])('refuses %s: %j as the wrong thing that it is', (key, value) => {
    expect(check({ inbounds: [inbound({ listen: '0.0.0.0', [key]: value })] })[0]).toMatch(new RegExp(`^inbounds\\[0\\]\\.${key}: must `))
  })
})

describe('the faults of a config', () => {
  it('never tell a secret', () => {
    const pass = 'HUNTER2'
    const told = faultsOf({ inbounds: [inbound({ settings: { pass } })] }, modules)
    expect(told).toHaveLength(1)
    expect(JSON.stringify(told)).not.toContain(pass)
  })

  it('are remarks where none is an error', () => {
    expect(check({ inbounds: [{ protocol: 'remarking', port: 1 }] })).toEqual(['warning inbounds[0].settings: is a mere example'])
  })
})
