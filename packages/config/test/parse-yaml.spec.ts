import { formatFault, isConfigError } from '@sluice/core'
import { describe, expect, it } from 'vitest'
import { parseConfig } from '../src/index.js'

const TEXT = `# the office
inbounds:
  - tag: in
    protocol: socks
    port: 1080
outbounds:
  - &proxy { protocol: http, settings: { servers: [{ address: p.example, port: "3128" }] } }
policy:
  levels:
    0: { handshake: 4 }
`

function faultsOf(text: string, file = 'c.yaml'): string[] {
  try {
    parseConfig(text, { file })
  } catch (error) {
    if (isConfigError(error)) return error.faults.map(formatFault)
  }
  return []
}

describe('parseConfig() with YAML', () => {
  it('reads values as JSON has them', () => {
    expect(parseConfig(TEXT, { file: 'c.yml' }).config).toEqual({
      inbounds: [{ tag: 'in', protocol: 'socks', port: 1080 }],
      outbounds: [{ protocol: 'http', settings: { servers: [{ address: 'p.example', port: '3128' }] } }],
      policy: { levels: { 0: { handshake: 4 } } },
    })
    expect(parseConfig('a: ~\nb:\nc: yes\nd: 2026-01-01\ne: 0x10', { format: 'yaml' }).config)
      .toEqual({ a: null, b: null, c: 'yes', d: '2026-01-01', e: 16 })
  })

  it('locates keys and values, in blocks and in brackets, behind a byte order mark too', () => {
    for (const text of [TEXT, `\uFEFF${TEXT}`]) {
      const document = parseConfig(text, { file: 'c.yaml' })
      expect(document.locate('inbounds[0].port')).toEqual({ line: 5, column: 11 })
      expect(document.locate('inbounds[0].port', 'key')).toEqual({ line: 5, column: 5 })
      expect(document.locate('outbounds[0].settings.servers[0].port')).toEqual({ line: 7, column: 80 })
      expect(document.locate('policy.levels["0"].handshake')).toEqual({ line: 10, column: 21 })
    }
  })

  it('puts what an alias stands for in its place', () => {
    const document = parseConfig('a: &x { port: 1 }\nb: *x\n', { format: 'yaml' })
    expect(document.config).toEqual({ a: { port: 1 }, b: { port: 1 } })
    expect(document.locate('b.port')).toEqual({ line: 1, column: 15 })
  })

  it('warns of a key that stands twice', () => {
    const { config, remarks } = parseConfig('a: 1\na: 2\n', { file: 'c.yaml' })
    expect(config).toEqual({ a: 2 })
    expect(remarks.map(formatFault)).toEqual(['c.yaml:2:1 a: stands twice: this one counts, not the one of line 1'])
  })

  it.each([
    ['inbounds:\n\t- a: 1', 'c.yaml:2:1: a tab cannot indent (use blanks)'],
    ['a: [1, 2\nb: 1', 'c.yaml:2:1'],
    ['a: *nowhere', 'c.yaml:1:4: alias of an anchor that does not stand before it'],
    ['a: 1\n---\nb: 2', 'c.yaml:2:1: content behind the config (one file holds one document)'],
    ['', 'c.yaml:1:1: is empty'],
    ['pass: "hunter2\\q"', 'c.yaml:1:15: unknown escape in a text'],
    ['pass: @hunter2', 'c.yaml:1:7: a text that starts like this stands in quotes'],
  ])('tells what is wrong with %j and never the text', (text, expected) => {
    const faults = faultsOf(text)
    expect(faults.join('\n')).toContain(expected)
    expect(faults.join('\n')).not.toContain('hunter2')
  })

  it('ends soon on aliases of aliases and on nesting without an end', () => {
    const bomb = Array.from({ length: 9 }, (_, index) => `a${index}: &a${index} [${Array(10).fill(index === 0 ? 'x' : `*a${index - 1}`).join(', ')}]`)
    expect(faultsOf(bomb.join('\n'))[0]).toMatch(/c\.yaml:\d+:\d+: more than 100000 values/)
    expect(faultsOf(`a: ${'['.repeat(300)}${']'.repeat(300)}`)[0]).toContain('more than 256 levels deep')
    expect(faultsOf(`a: ${'['.repeat(50_000)}`).join()).not.toBe('')
    expect(faultsOf('a: &a { b: *a }')[0]).toContain('levels deep')
  })
})
