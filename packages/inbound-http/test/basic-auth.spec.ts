import { describe, expect, it } from 'vitest'
import { parseBasic } from '../src/basic-auth.js'

describe('parseBasic()', () => {
  it.each([
    ['a colon in the password', 'me', 'a:b:'],
    ['an escape that is none', 'me%40x', '%40'],
    ['letters beyond ASCII', 'ünï', 'pässwörd€'],
    ['10 KiB', 'u'.repeat(5_000), 'p'.repeat(5_240)],
    ['an empty password', 'me', ''],
    ['an empty user', '', 'x'],
  ])('C168 reads %s', (_, user, pass) => {
    expect(parseBasic(`Basic ${Buffer.from(`${user}:${pass}`).toString('base64')}`)).toEqual({ user, pass })
  })

  it('P21 takes the scheme in any case', () => {
    expect(parseBasic('bASIC bWU6eA==')).toEqual({ user: 'me', pass: 'x' })
  })

  it.each([
    '', 'Basic', 'Basic ', 'Basic bWU', 'Basic bW U6eA==', 'Basic bWU6eA==,x', 'Basic b*', 'Bearer bWU6eA==', 'BasicbWU6eA==', 'bWU6eA==',
  ])('refuses %j', (value) => {
    expect(parseBasic(value)).toBeUndefined()
  })
})
