import { describe, expect, it } from 'vitest'
import {
  answerTo, ConfigError, ERROR_CODES, fault, formatFault, isConfigError, isProxyError, printable, ProxyError, toProxyError, type ProxyErrorCode,
} from '../src/index.js'

/** An error of another copy of this package: the same brand, another class. */
function foreign(brand: string, properties: object): Error {
  return Object.defineProperty(Object.assign(new Error('from elsewhere'), properties), Symbol.for(brand), { value: true })
}

describe('ProxyError', () => {
  it('keeps what it was given, and nothing else', () => {
    const cause = new Error('reset')
    const attempt = new ProxyError('DIAL', 'Cannot dial a:1')
    const error = new ProxyError('STATUS', 'Server "a:1" answered 503', {
      side: 'upstream', phase: 'connect', server: 'a:1', status: 503, retryAfterMs: 5_000, attempts: [attempt], cause,
    })
    expect(error).toMatchObject({
      name: 'ProxyError', code: 'STATUS', side: 'upstream', phase: 'connect', server: 'a:1', status: 503, retryAfterMs: 5_000, attempts: [attempt], cause,
    })
    const plain = new ProxyError('TARGET', 'Cannot send "a b"')
    expect(plain).toMatchObject({ side: 'upstream', attempts: [] })
    for (const key of ['phase', 'server', 'status', 'retryAfterMs', 'cause']) expect(key in plain).toBe(false)
  })

  it('is recognised across copies of the package, and nothing else is', () => {
    expect(isProxyError(new ProxyError('DNS', 'x'))).toBe(true)
    expect(isProxyError(foreign('@sluice/ProxyError', { code: 'DNS' }))).toBe(true)
    for (const other of [new Error('x'), { code: 'DNS' }, 'DNS', null, undefined, new ConfigError([])]) expect(isProxyError(other)).toBe(false)
  })
})

describe('toProxyError()', () => {
  it('leaves a ProxyError of any copy as it is', () => {
    const own = new ProxyError('DNS', 'x')
    const other = foreign('@sluice/ProxyError', { code: 'AUTH' })
    expect([toProxyError(own), toProxyError(other)]).toEqual([own, other])
    expect(toProxyError(own)).toBe(own)
  })

  it.each([new TypeError('x is not\na function'), 'x is not\na function', 5, null, undefined, Symbol('s')])('makes INTERNAL of anything else: %s', (thrown) => {
    const error = toProxyError(thrown)
    expect(error).toMatchObject({ code: 'INTERNAL', side: 'internal' })
    expect(error.message).toMatch(/^Unexpected failure: /)
    expect(error.message).not.toContain('\n')
    if (thrown !== undefined) expect(error.cause).toBe(thrown)
  })
})

describe('answerTo()', () => {
  /** The table of docs/errors.md: code, may it be tried again, REP of SOCKS, status of HTTP. */
  const TABLE: readonly (readonly [ProxyErrorCode, string, number, number])[] = [
    ['TARGET', 'never', 8, 400], ['UNSUPPORTED', 'never', 7, 501], ['BLOCKED', 'never', 2, 403], ['DNS', 'next', 4, 502], ['DIAL', 'next', 5, 502],
    ['TLS', 'next', 1, 502], ['CERT', 'other', 1, 502], ['ALPN', 'other', 1, 502], ['TIMEOUT', 'next', 6, 504], ['CLOSED', 'next', 1, 502],
    ['REFUSED', 'connection', 1, 502], ['PROTO', 'other', 1, 502], ['LIMIT', 'other', 1, 502], ['AUTH', 'other', 2, 502], ['STATUS', 'other', 1, 502],
    ['ABORT', 'never', 1, 502], ['INTERNAL', 'never', 1, 500],
  ]

  it.each(TABLE)('%s may be tried again: %s; REP %i, status %i', (code, again, socks, http) => {
    expect(answerTo(new ProxyError(code, 'x'))).toEqual({ socks, http })
    expect(ERROR_CODES[code].again).toBe(again)
    expect(ERROR_CODES[code].when).not.toBe('')
  })

  it('knows no further code', () => {
    expect(Object.keys(ERROR_CODES)).toEqual(TABLE.map(([code]) => code))
  })

  it.each([[403, 2], [451, 2], [404, 4], [502, 4], [504, 6], [500, 1], [503, 1], [429, 1], [300, 1]])('STATUS %i is REP %i', (status, socks) => {
    expect(answerTo(new ProxyError('STATUS', 'x', { status }))).toEqual({ socks, http: 502 })
  })

  it('answers a bug as such', () => {
    expect(answerTo(new TypeError('x'))).toEqual({ socks: 1, http: 500 })
    expect(answerTo(undefined)).toEqual({ socks: 1, http: 500 })
  })

  it('answers an error of another copy of the package', () => {
    expect(answerTo(foreign('@sluice/ProxyError', { code: 'BLOCKED' }))).toEqual({ socks: 2, http: 403 })
  })
})

describe('ConfigError', () => {
  it('tells all of its faults in its message', () => {
    const error = new ConfigError([
      { ...fault(['log'], 'unknown key', { hint: 'did you mean "dns"?' }), file: 'c.json', line: 3, column: 5 },
      fault(['inbounds', 0, 'port'], 'missing'),
    ])
    expect(error.message).toBe('Cannot use this config:\n  c.json:3:5 log: unknown key (did you mean "dns"?)\n  inbounds[0].port: missing')
    expect(error.faults).toHaveLength(2)
  })

  it('is recognised across copies of the package, and nothing else is', () => {
    expect(isConfigError(new ConfigError([]))).toBe(true)
    expect(isConfigError(foreign('@sluice/ConfigError', { faults: [] }))).toBe(true)
    for (const other of [new Error('x'), { faults: [] }, null, new ProxyError('DNS', 'x')]) expect(isConfigError(other)).toBe(false)
  })
})

describe('formatFault()', () => {
  it.each([
    [fault([], 'must be an object'), 'must be an object'],
    [fault(['a'], 'x', { severity: 'warning' }), 'a: x'],
    [{ ...fault([], 'x'), line: 2, column: 4 }, 'config:2:4: x'],
    [{ ...fault([], 'x'), line: 2 }, 'config:2:1: x'],
    [{ ...fault([], 'cannot be read'), file: '/etc/c.json' }, '/etc/c.json: cannot be read'],
  ])('writes %j on one line', (item, line) => {
    expect(formatFault(item)).toBe(line)
  })
})

describe('printable()', () => {
  it('leaves ordinary text of any language alone', () => {
    const text = 'HTTP/1.1 407 “Größe” 日本語 😀 {}[]()%'
    expect(printable(text)).toBe(text)
  })

  it('lets no character through that forges, hides or reorders', () => {
    const codes = [...Array(32).keys(), 0x7f, 0x80, 0x9f, 0x200b, 0x200f, 0x2028, 0x2029, 0x202a, 0x202e, 0x2066, 0x2069, 0xfeff]
    for (const code of codes) expect(printable(`a${String.fromCharCode(code)}b`)).toBe('a?b')
  })

  it('cuts to 256 characters', () => {
    expect(printable('x'.repeat(256))).toBe('x'.repeat(256))
    expect(printable('x'.repeat(257))).toBe(`${'x'.repeat(255)}…`)
    expect(printable('\n'.repeat(1_000_000))).toHaveLength(256)
  })
})
