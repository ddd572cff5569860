import { describe, expect, it } from 'vitest'
import { Account } from '../src/account.js'
import { checkSettings } from '../src/check-settings.js'
import type { HttpOutboundSettings } from '../src/settings.js'

const faults = (settings: Partial<HttpOutboundSettings>): string[] =>
  checkSettings({ servers: [], ...settings }).map(({ path, message, hint = '' }) => `${path}: ${message} ${hint}`.trim())

const withUser = (user: string, pass = ''): string[] => faults({ servers: [{ address: 'a', port: 1, users: [{ user, pass }] }] })

describe('checkSettings()', () => {
  it('C168 refuses a colon in the user and control characters in either', () => {
    expect(withUser('a:b')[0]).toMatch(/^servers\[0\]\.users\[0\]\.user: must not contain ":"/)
    expect(withUser('a\r\nb')).toHaveLength(1)
    expect(withUser('a', 'x\0y')[0]).toBe('servers[0].users[0].pass: must not contain control characters')
    expect(withUser('%40 ü', ':')).toEqual([])
  })

  it('refuses a URL as an address and says what to write', () => {
    const [message] = faults({ servers: [{ address: 'https://proxy.test', port: 1 }] })
    expect(message).toMatch(/^servers\[0\]\.address: is a URL, not a host.*"security": "tls"/)
  })

  it.each(['a b', 'a/b', '[::1]', 'u@h'])('refuses %j as an address', (address) => {
    expect(faults({ servers: [{ address, port: 1 }] })).toHaveLength(1)
  })

  it('tells all faults at once', () => {
    const servers = [{ address: 'a b', port: 1, users: [{ user: 'x:y', pass: '\n' }] }]
    expect(faults({ servers, headers: { Host: 'x', 'a b': 'c' } })).toHaveLength(5)
  })

  it.each(['Host', 'proxy-authorization', 'Content-Length', 'TRANSFER-ENCODING'])('refuses header %s', (name) => {
    expect(faults({ headers: { [name]: 'x' } })).toHaveLength(1)
  })

  it('P7 refuses what cannot be a field', () => {
    expect(faults({ headers: { 'a:b': 'x' } })).toHaveLength(1)
    expect(faults({ headers: { '': 'x' } })).toHaveLength(1)
    expect(faults({ headers: { 'X-A': 'x\r\nEvil: y' } })).toHaveLength(1)
    expect(faults({ headers: { 'X-A': 'x y', __proto__x: 'ok', constructor: 'ok' } })).toEqual([])
  })

  it('never repeats a secret', () => {
    const servers = [{ address: 'a', port: 1, users: [{ user: 'u', pass: 'hunter2\n' }] }]
    const found = checkSettings({ servers, headers: { 'X-Key': 'hunter2\n' } })
    expect(found).toHaveLength(2)
    expect(JSON.stringify(found)).not.toContain('hunter2')
  })
})

describe('Account', () => {
  it.each([
    ['user', 'pass', 'dXNlcjpwYXNz'],
    ['u', '', 'dTo='],
    ['%40', 'ü:', 'JTQwOsO8Og=='],
    ['x'.repeat(10_240), 'y', Buffer.from(`${'x'.repeat(10_240)}:y`).toString('base64')],
  ])('C168 writes Basic credentials exactly', (user, pass, base64) => {
    expect(new Account({ user, pass }).credentials.reveal()).toBe(`Basic ${base64}`)
  })
})
