import { ConfigError, formatFault } from '@sluice/core'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { MAX_DEPTH, parseConfig } from '../src/index.js'

function faultsOf(text: string, file?: string): string[] {
  try {
    parseConfig(text, file === undefined ? {} : { file })
    return []
  } catch (error) {
    if (error instanceof ConfigError) return error.faults.map(formatFault)
    throw error
  }
}

describe('parseConfig()', () => {
  it('reads JSON as JSON.parse() does, keys like __proto__ included', () => {
    fc.assert(fc.property(fc.json({ noUnicodeString: false } as object), (text) => {
      expect(JSON.stringify(parseConfig(text).config)).toBe(JSON.stringify(JSON.parse(text)))
    }))
  })

  it('reads comments of all three kinds', () => {
    const text = `// one
      # two: "quotes" and { braces
      { /* three # { */ "a": 1, // it's fine
        "b": [2, 3] # "four"
      } # five`
    expect(parseConfig(text).config).toEqual({ a: 1, b: [2, 3] })
  })

  it('leaves what looks like a comment inside a text alone', () => {
    const config = { '#a': 'b # c', url: 'http://host//x', star: '/* no */', escaped: 'a\\" # " // \\' }
    expect(parseConfig(JSON.stringify(config)).config).toEqual(config)
  })

  it('reads commas behind the last entry, a byte order mark and line ends of any kind', () => {
    expect(parseConfig('\uFEFF{\r\n"a": [1,\r2,\n],\r\n}').config).toEqual({ a: [1, 2] })
  })

  it('keeps the key __proto__ as a property, and changes no prototype', () => {
    const { config } = parseConfig('{ "__proto__": { "polluted": 1 }, "a": { "__proto__": null }, "constructor": { "prototype": { "polluted": 1 } } }')
    expect(Object.keys(config as object)).toEqual(['__proto__', 'a', 'constructor'])
    expect((config as { polluted?: unknown }).polluted).toBeUndefined()
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined()
    expect(Object.getPrototypeOf((config as { a: object }).a)).toBe(Object.prototype)
  })

  it('warns of a key that stands twice, and takes the last', () => {
    const { config, remarks } = parseConfig('{\n  "log": 1,\n  "inbounds": [{ "port": 1, "port": 2 }],\n  "log": 3\n}', { file: 'c.json' })
    expect(config).toEqual({ log: 3, inbounds: [{ port: 2 }] })
    expect(remarks.map((item) => `${item.severity} ${formatFault(item)}`)).toEqual([
      'warning c.json:3:29 inbounds[0].port: stands twice: this one counts, not the one of line 3',
      'warning c.json:4:3 log: stands twice: this one counts, not the one of line 2',
    ])
  })

  it('tells all faults of the syntax at once, each with its line and column', () => {
    expect(faultsOf(`{
  "inbounds": [
    { "port": 1080 "tag": "a" },
    { 'port': 1081 },
    { "port": 0x10 },
  ],
  "log": "half,
  "outbounds": []
}
{}`, 'config.json')).toEqual([
      'config.json:3:20: expected a comma before this',
      'config.json:4:7: unknown word (names and texts stand in double quotes)',
      'config.json:5:16: unknown word (names and texts stand in double quotes)',
      'config.json:7:10: text without an end on its line',
      'config.json:10:1: content behind the config',
    ])
  })

  it.each([
    ['', 'config:1:1: is empty'],
    ['\uFEFF  \n # nothing\n', 'config:1:1: is empty'],
    ['{"a":1', 'config:1:7: expected a closing "}"'],
    ['[1, 2', 'config:1:6: expected a closing "]"'],
    ['{"a" 1}', 'config:1:6: expected a colon before this'],
    ['{"a":}', 'config:1:6: expected a value'],
    ['{"a":1,,}', 'config:1:8: expected a name (names and texts stand in double quotes)'],
    ['{"a": tru}', 'config:1:7: unknown word (names and texts stand in double quotes)'],
    ['{"a": "C:\\path"}', 'config:1:7: unknown escape in a text (write \\\\ for a backslash)'],
    ['{"a": "\\u12"}', 'config:1:7: unknown escape in a text (write \\\\ for a backslash)'],
    ['{"a": "b\tc"}', 'config:1:7: control character in a text (write \\t for a tab)'],
    ['{} /* ', 'config:1:4: comment without an end'],
    ['{} {}', 'config:1:4: content behind the config'],
    ['{}, "a": 1', 'config:1:3: content behind the config'],
    ['{} garbage', 'config:1:4: content behind the config'],
    ['\uFEFF{"a" 1}', 'config:1:6: expected a colon before this'],
    ['{\r\n\r\n"a" 1}', 'config:3:5: expected a colon before this'],
  ])('refuses %j', (text, line) => {
    expect(faultsOf(text)).toEqual([line])
  })

  it('never repeats the text in a fault', () => {
    for (const text of ['{"pass": hunter2}', '{"pass": "hunter2', '{"pass" "hunter2"}', '{"pass": "hunter2" hunter2}', '{"pass": "\\hunter2"}', '"hunter2" hunter2']) {
      expect(faultsOf(text).join()).not.toContain('hunter2')
      expect(faultsOf(text)).not.toEqual([])
    }
  })

  it('refuses what is nested too deep, whether closed or not', () => {
    const deep = (levels: number): string => '['.repeat(levels) + ']'.repeat(levels)
    expect(faultsOf(deep(MAX_DEPTH))).toEqual([])
    expect(faultsOf(deep(MAX_DEPTH + 1))).toEqual([`config:1:${MAX_DEPTH + 1}: more than 256 levels deep`])
    expect(faultsOf('{"a":'.repeat(100_000))).toEqual(['config:1:1281: more than 256 levels deep'])
  })

  it('answers any text with a config or with faults', () => {
    const piece = fc.constantFrom('{', '}', '[', ']', ':', ',', '"', '\'', '#', '//', '/*', '*/', '\n', '\r', '\\', ' ', 'a', '1', '-', '.', 'true', '\u0000', '\uFEFF', '\u2028', '__proto__')
    fc.assert(fc.property(fc.oneof(fc.string(), fc.array(piece, { maxLength: 40 }).map((parts) => parts.join(''))), (text) => {
      for (const line of faultsOf(text)) expect(line).toMatch(/^config:\d+:\d+: /)
    }), { numRuns: 2_000 })
  })
})
