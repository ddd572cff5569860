import { ConfigError, createInstance, defineInbound, defineTransport, fault, formatFault, formatPath, type Config, type Fault, type PathSegment } from '@sluice/core'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { formatCodeFrame, locateFaults, parseConfig } from '../src/index.js'

declare module '@sluice/core' {
  interface InboundSettings { local: { readonly pass?: string } }
}

const never = (): never => {
  throw new Error('This config has faults, so nothing is made')
}

class Nothing {
  create = never
}

const modules = [
  defineTransport({ schema: { type: 'object', additionalProperties: false, properties: {} }, dialers: Nothing, listeners: Nothing }),
  defineInbound({
    protocol: 'local',
    schema: { type: 'object', additionalProperties: false, properties: { pass: { type: 'string', writeOnly: true } } },
    authenticates: () => true,
    create: never,
  }),
]

function faultsOf(config: unknown): readonly Fault[] {
  try {
    return createInstance(config as Config, { modules }).remarks
  } catch (error) {
    if (error instanceof ConfigError) return error.faults
    throw error
  }
}

describe('locateFaults()', () => {
  it('gives each fault of a config its file, line and column', () => {
    const document = parseConfig(`{
  // comments change nothing
  "inbounds": [
    { "protocol": "lokal", "port": 1080 },
    { "protocol": "local" },
    { "protocol": "local", "port": 99999,
      "settings": { "pa-s": "x", "pass": 5 } }
  ],
  "inbound": {}
}`, { file: '/etc/sluice.json' })
    expect(locateFaults(faultsOf(document.config), document).map(formatFault).sort()).toEqual([
      '/etc/sluice.json:4:19 inbounds[0].protocol: unknown protocol "lokal" (did you mean "local"?)',
      '/etc/sluice.json:5:5 inbounds[1].port: missing',
      '/etc/sluice.json:6:36 inbounds[2].port: must be a port from 0 to 65535 (0: any free one), not 99999',
      '/etc/sluice.json:7:21 inbounds[2].settings["pa-s"]: unknown key (did you mean "pass"?)',
      '/etc/sluice.json:7:42 inbounds[2].settings.pass: must be a string, not a number',
      '/etc/sluice.json:9:3 inbound: unknown key (did you mean "inbounds"?)',
    ])
  })

  it('gives positions that formatCodeFrame() understands', () => {
    const document = parseConfig('\uFEFF{\n  # no such section\n  "prot": { "pass": "hunter2" }\n}')
    const [located] = locateFaults(faultsOf(document.config), document)
    expect(formatCodeFrame(document.text, located?.line ?? 0, located?.column ?? 0)).toBe([
      '  1 | {',
      '  2 |',
      '> 3 |   "prot": { "pass": ********* }',
      '    |   ^',
    ].join('\n'))
  })

  it('leaves a fault that has a line, and one whose path cannot be read', () => {
    const document = parseConfig('{ "a": 1 }', { file: 'f' })
    const placed: Fault = { ...fault(['a'], 'x'), line: 7, column: 9, file: 'g' }
    expect(locateFaults([placed, { path: '..', message: 'y', severity: 'error' }], document)).toEqual([
      placed, { path: '..', message: 'y', severity: 'error', file: 'f' },
    ])
  })

  it('gives a fault of the whole the beginning', () => {
    expect(locateFaults([fault([], 'must be an object')], parseConfig('\n 5'))).toEqual([{ path: '', message: 'must be an object', severity: 'error', line: 2, column: 2 }])
  })
})

describe('locate()', () => {
  it('finds every value of any config where it stands', () => {
    fc.assert(fc.property(fc.jsonValue(), (value) => {
      const text = JSON.stringify(value, undefined, 2)
      const document = parseConfig(text)
      const lines = text.split('\n')
      for (const [path, inner] of placesOf(JSON.parse(text))) {
        const { line = 0, column = 0 } = document.locate(formatPath(path)) ?? {}
        const rest = [lines[line - 1]?.slice(column - 1), ...lines.slice(line)].join('\n')
        const indent = '\n' + ' '.repeat(/^ */.exec(lines[line - 1] ?? '')?.[0].length ?? 0)
        expect(rest.startsWith(JSON.stringify(inner, undefined, 2).replaceAll('\n', indent))).toBe(true)
      }
    }))
  })

  it('points to the value that counts of a key that stands twice', () => {
    expect(parseConfig('{ "a": 1,\n"a": 2 }').locate('a')).toEqual({ line: 2, column: 6 })
  })

  it('points to the innermost of what a missing value would be in', () => {
    const document = parseConfig('{\n "a": [\n  { "b": 1 }\n ]\n}')
    expect(document.locate('a[0].c.d')).toEqual({ line: 3, column: 3 })
    expect(document.locate('a[7]')).toEqual({ line: 2, column: 7 })
    expect(document.locate('a.x')).toEqual({ line: 2, column: 7 })
    expect(document.locate('a[0].b.c')).toEqual({ line: 3, column: 10 })
    expect(document.locate('z', 'key')).toEqual({ line: 1, column: 1 })
    expect(document.locate('a[0].b', 'key')).toEqual({ line: 3, column: 5 })
  })
})

function* placesOf(value: unknown, at: readonly PathSegment[] = []): Generator<readonly [readonly PathSegment[], unknown]> {
  yield [at, value]
  if (typeof value !== 'object' || value === null) return
  const entries: [PathSegment, unknown][] = Array.isArray(value) ? [...value.entries()] : Object.entries(value)
  for (const [segment, inner] of entries) yield* placesOf(inner, [...at, segment])
}
