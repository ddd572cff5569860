import { ProxyError, tcp, type LogEntry } from '@sluice/core'
import { testContext } from '@sluice/testkit'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { formatAccess, formatEntry } from '../../src/log/log-format.js'
import { LogPace } from '../../src/log/log-pace.js'

const EVIL = 'a\r\nb\u001b[2J\u0000c\u2028d\u202Ee\u0085f'
// oxlint-disable-next-line no-control-regex
const CONTROL = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/

describe('T14 a line of the log', () => {
  it.each([
    ['the name of a target', formatAccess(testContext({ target: tcp(EVIL, 80) }))],
    ['the name of a user', formatAccess(testContext({ target: tcp('a', 80), user: { name: EVIL, level: 0 } }))],
    ['a message', formatEntry({ level: 'warning', message: EVIL })],
    ['the message of an error', formatEntry({ level: 'warning', message: 'failed', error: new Error(EVIL) })],
  ])('is one line, without control characters from %s', (_, line) => {
    expect(line).not.toMatch(CONTROL)
    expect(line).toMatch(/a\?\?b\?\[2J\?c\?d\?e\?f/)
  })

  it('is not as long as a peer wants it to be', () => {
    expect(formatEntry({ level: 'warning', message: 'x'.repeat(100_000) }).length).toBeLessThan(400)
    expect(formatAccess(testContext({ target: tcp('x'.repeat(100_000), 80) })).length).toBeLessThan(500)
  })
})

describe('T14 LogPace', () => {
  const written: LogEntry[] = []
  let pace: LogPace

  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    written.length = 0
    pace = new LogPace((entry) => written.push(entry))
  })

  afterEach(() => {
    vi.useRealTimers()
  })

  const failed = (host: number): LogEntry => {
    const error = new ProxyError('DIAL', `Cannot reach host-${host}.test`)
    return { level: 'warning', message: `host-${host}.test:443 [out] failed: ${error.message}`, error }
  }

  it('writes ten entries of one kind in a second, and then how many it left out', () => {
    for (let host = 0; host < 1_000; host++) pace.take(failed(host))
    expect(written).toHaveLength(10)
    vi.advanceTimersByTime(1_000)
    expect(written.slice(10).map(({ level, message }) => `${level}: ${message}`))
      .toEqual(['warning: 990 more within a second were left out, like: host-0.test:443 [out] failed: Cannot reach host-0.test'])
    pace.take(failed(1_000))
    expect(written.at(-1)).toEqual(failed(1_000))
  })

  it('counts each kind for itself: by level and code, or by the words of the message', () => {
    const entries: LogEntry[] = [
      failed(1), { ...failed(1), level: 'info' }, { ...failed(1), error: new ProxyError('TIMEOUT', 'x') },
      { level: 'warning', message: 'Inbound "a" turned 192.0.2.1:5 away' }, { level: 'warning', message: 'Something else' },
    ]
    for (let count = 0; count < 20; count++) for (const entry of entries) pace.take(entry)
    expect(written).toHaveLength(50)
    pace.take({ level: 'warning', message: 'Inbound "b" turned [2001:db8::f]:6543 away' })
    expect(written).toHaveLength(50)
  })

  it('leaves out nothing of level debug', () => {
    for (let count = 0; count < 100; count++) pace.take({ level: 'debug', message: 'the same' })
    expect(written).toHaveLength(100)
  })

  it('knows no more than 256 kinds at once, however peers vary their text', () => {
    const letters = (index: number): string => [...String(index)].map((digit) => 'qrstuvwxyz'[Number(digit)]).join('')
    for (let index = 0; index < 10_000; index++) pace.take({ level: 'info', message: `peer says ${letters(index)}` })
    expect(written.length).toBeLessThanOrEqual(266)
    pace.flush()
    expect(written.length).toBeLessThanOrEqual(267)
  })

  it('leaves no timer behind', () => {
    pace.take(failed(1))
    pace.flush()
    expect(vi.getTimerCount()).toBe(0)
  })
})
