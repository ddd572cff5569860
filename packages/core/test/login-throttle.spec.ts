import { describe, expect, it } from 'vitest'
import { ClientLogins, InstanceEvents, LoginThrottle, type LogEntry } from '../src/index.js'

const wrong = (): boolean => false
const right = (): boolean => true

describe('T2 LoginThrottle', () => {
  it('refuses the 11th log-in unheard after ten wrong ones, even a right one', () => {
    const throttle = new LoginThrottle()
    for (let count = 0; count < 10; count++) expect(throttle.attempt('192.0.2.1', wrong)).toBe('wrong')
    let heard = false
    expect(throttle.attempt('192.0.2.1', () => { heard = true; return true })).toBe('throttled')
    expect(heard).toBe(false)
    expect(throttle.attempt('192.0.2.2', right)).toBe('accepted')
  })

  it('hears a source again when its minute is over', () => {
    let now = 0
    const throttle = new LoginThrottle({ now: () => now })
    for (let count = 0; count < 10; count++) throttle.attempt('192.0.2.1', wrong)
    now = 59_999
    expect(throttle.attempt('192.0.2.1', right)).toBe('throttled')
    now = 60_000
    expect(throttle.attempt('192.0.2.1', right)).toBe('accepted')
    for (let count = 0; count < 10; count++) expect(throttle.attempt('192.0.2.1', wrong)).toBe('wrong')
  })

  it('does not forgive wrong log-ins for right ones between them', () => {
    const throttle = new LoginThrottle({ failures: 3 })
    for (let count = 0; count < 3; count++) {
      throttle.attempt('192.0.2.1', wrong)
      if (count < 2) expect(throttle.attempt('192.0.2.1', right)).toBe('accepted')
    }
    expect(throttle.attempt('192.0.2.1', right)).toBe('throttled')
  })

  it('takes an IPv6 network of 64 bits for one source, and a mapped address for its IPv4 address', () => {
    const throttle = new LoginThrottle({ failures: 1 })
    throttle.attempt('2001:db8::1', wrong)
    expect(throttle.attempt('2001:db8:0:0:ffff::7', right)).toBe('throttled')
    expect(throttle.attempt('2001:db8:0:1::1', right)).toBe('accepted')
    throttle.attempt('::1', wrong)
    expect(throttle.attempt('::1', right)).toBe('throttled')
    throttle.attempt('::ffff:192.0.2.1', wrong)
    expect(throttle.attempt('::ffff:192.0.2.1', right)).toBe('throttled')
    expect(throttle.attempt('::ffff:192.0.2.2', right)).toBe('accepted')
  })

  it('remembers no more sources than it may, and nothing of those that never failed', () => {
    const throttle = new LoginThrottle({ failures: 1, sources: 100 })
    for (let host = 0; host < 10_000; host++) throttle.attempt(`10.0.${host >> 8}.${host & 255}`, host % 2 === 0 ? wrong : right)
    expect(throttle.size).toBe(100)
    expect(throttle.attempt('10.0.39.14', right)).toBe('throttled')
    expect(throttle.attempt('10.0.0.0', right)).toBe('accepted')
  })
})

describe('T2 ClientLogins', () => {
  it('lets in by the accounts, and tells the log once when a source is refused', () => {
    const events = new InstanceEvents()
    const log: LogEntry[] = []
    events.on('log', (entry) => log.push(entry))
    const logins = new ClientLogins([{ user: 'me', pass: 'secret' }], 'in', events)
    expect(logins.attempt('192.0.2.1', 'me', 'secret')).toBe('accepted')
    for (let count = 0; count < 10; count++) expect(logins.attempt('192.0.2.1', 'me', `guess ${count}`)).toBe('wrong')
    for (let count = 0; count < 10; count++) expect(logins.attempt('192.0.2.1', 'me', 'secret')).toBe('throttled')
    expect(log.map(({ level, message }) => `${level}: ${message}`))
      .toEqual(['warning: Inbound "in" refuses all log-ins from 192.0.2.1 for the rest of the minute: too many were wrong'])
  })
})
