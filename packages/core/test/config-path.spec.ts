import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { formatPath, parsePath } from '../src/index.js'

describe('formatPath()', () => {
  it.each([
    [[], ''],
    [['outbounds', 0, 'settings', 'servers', 1, 'port'], 'outbounds[0].settings.servers[1].port'],
    [['policy', 'levels', '0', 'handshake'], 'policy.levels["0"].handshake'],
    [['headers', 'X-A "b"'], 'headers["X-A \\"b\\""]'],
    [[3, 'a'], '[3].a'],
    [['', '__proto__'], '[""].__proto__'],
  ])('writes %j as %s', (segments, path) => {
    expect(formatPath(segments)).toBe(path)
  })
})

describe('parsePath()', () => {
  it('reads back whatever formatPath() writes', () => {
    const segment = fc.oneof(fc.string({ unit: fc.constantFrom('a', 'Z', '_', '0', '.', '[', ']', '"', '\\', ' ', '\n', '\u2028', '\ud800', 'é', '😀') }), fc.constantFrom('a', '$_1', '__proto__', '0', 'a.b', '[0]', '"'), fc.nat())
    fc.assert(fc.property(fc.array(segment), (segments) => {
      expect(parsePath(formatPath(segments))).toEqual(segments)
    }))
  })

  it('takes a name in brackets and quotes, needed or not', () => {
    expect(parsePath('policy.levels["abc"]')).toEqual(['policy', 'levels', 'abc'])
  })

  it.each(['.a', 'a.', 'a..b', 'a[', 'a[]', 'a[-1]', 'a[1', 'a[\'b\']', 'a["b]', 'a["\\x"]', 'a b', 'a-b', 'a[0]b', ' a', '["a"'])('refuses %j', (path) => {
    expect(() => parsePath(path)).toThrow(SyntaxError)
  })
})
