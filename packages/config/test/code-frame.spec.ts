import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { formatCodeFrame } from '../src/index.js'

const TEXT = `{
  "inbounds": [
    { "protocol": "socks",
      "port": 99999 }
  ]
}`

describe('formatCodeFrame()', () => {
  it('shows the line, two lines before it, and a caret', () => {
    expect(formatCodeFrame(TEXT, 4, 15)).toBe([
      '  2 |   "inbounds": [',
      '  3 |     { "protocol": "socks",',
      '> 4 |       "port": 99999 }',
      '    |               ^',
    ].join('\n'))
  })

  it('shows what there is at the beginning, and aligns the numbers', () => {
    expect(formatCodeFrame(TEXT, 1, 1)).toBe('> 1 | {\n    | ^')
    const long = Array.from({ length: 10 }, (_, index) => `${index}`).join('\n')
    expect(formatCodeFrame(long, 10, 1).split('\n')).toEqual(['   8 | 7', '   9 | 8', '> 10 | 9', '     | ^'])
  })

  it('keeps the caret in place behind a tab, a byte order mark and line ends of any kind', () => {
    expect(formatCodeFrame('\uFEFF\t"a" 1', 1, 6)).toBe('> 1 |  "a" 1\n    |      ^')
    expect(formatCodeFrame('{\r\r\n"a" 1}', 3, 5)).toBe('  1 | {\n  2 |\n> 3 | "a" 1}\n    |     ^')
  })

  it('points behind the last character where something is missing', () => {
    expect(formatCodeFrame('{"a":1', 1, 7)).toBe('> 1 | {"a":1\n    |       ^')
  })

  it('cuts a long line to the part around the caret', () => {
    const text = `[${'1,'.repeat(1_000)}x${',1'.repeat(1_000)}]`
    const [line = '', caret = ''] = formatCodeFrame(text, 1, 2_002).split('\n')
    expect(line.length).toBeLessThan(120)
    expect(line[caret.indexOf('^')]).toBe('x')
  })

  it('lets no control character through to the terminal', () => {
    expect(formatCodeFrame('{ "a": "\u001b[31m\u202e" x', 1, 3)).toContain('"?[31m?"')
  })

  it.each([
    '{ "user": "u", "pass": "hunter2" }',
    '{ "Password" : "hunter2", "port": 1 }',
    '{ "pass": \n\n "hunter2" }',
    '{ "pass" /* why */: "hunter2" }',
    '{ "pass" "hunter2" }',
    '{ pass: hunter2 }',
    '{ \'pass\': \'hunter2 hunter2\' }',
    '{ "pass": "hunter2',
    '{ "pass": "a"hunter2"" }',
    '{ "pass: "hunter2" }',
    '{ "key": ["-----BEGIN PRIVATE KEY-----", "hunter2"], "port": 1 }',
    '{ "secrets": { "a": { "b": "hunter2" }, "c": "hunter2" } }',
    '{ "headers": { "Proxy-Authorization": "Basic hunter2" } }',
    '{ "address": "http://user:hunter2@proxy:3128" }',
    '{ } // "pass": "hunter2"',
    '{ } # hunter2\n',
    '/* hunter2\n hunter2 */ {',
  ])('shows no secret of %j', (text) => {
    const lines = text.split('\n')
    const last = lines.length
    expect(formatCodeFrame(text, last, (lines[last - 1] ?? '').length + 1)).not.toContain('hunter2')
  })

  it('shows what is no secret, also behind one', () => {
    expect(formatCodeFrame('{ "pass": ["x", [1], "y"], "port": 99999, "key": "k", "tag": "in" }', 1, 1)).toBe(
      '> 1 | { "pass": [***, [*], ***], "port": 99999, "key": ***, "tag": "in" }\n    | ^')
  })

  it('shows any text of any form without failing', () => {
    const piece = fc.constantFrom('{', '}', '[', ']', ':', ',', '"', '"pass"', '#', '//', '/*', '\n', '\r', '\\', 'a')
    fc.assert(fc.property(fc.array(piece).map((parts) => parts.join('')), fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 200 }), (text, line, column) => {
      expect(formatCodeFrame(text, line, column)).toMatch(/\^$/)
    }))
  })
})
