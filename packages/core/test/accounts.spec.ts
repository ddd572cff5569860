import { inspect } from 'node:util'
import { describe, expect, it } from 'vitest'
import { accountFaults, Accounts, formatFault } from '../src/index.js'

describe('Accounts', () => {
  const accounts = new Accounts([{ user: 'ann', pass: 'hunter2' }, { user: '__proto__', pass: 'x' }, { user: 'jürgen', pass: 'pässwort' }])

  it('lets in who sends a name with its own password', () => {
    expect(accounts.verify('ann', 'hunter2')).toBe(true)
    expect(accounts.verify('__proto__', 'x')).toBe(true)
    expect(accounts.verify('jürgen', 'pässwort')).toBe(true)
  })

  it.each([
    ['ann', 'hunter'], ['ann', 'hunter22'], ['ann', ''], ['Ann', 'hunter2'], ['ann ', 'hunter2'], ['', ''], ['bob', 'hunter2'], ['__proto__', 'hunter2'],
    ['constructor', ''], ['ann', 'x'],
  ])('keeps %j with %j out', (user, pass) => {
    expect(accounts.verify(user, pass)).toBe(false)
  })

  it('keeps everybody out where there is no account', () => {
    expect(new Accounts([]).verify('', '')).toBe(false)
  })

  it('holds no password', () => {
    expect(inspect(accounts, { showHidden: true, depth: 9 })).not.toContain('hunter2')
  })
})

describe('accountFaults()', () => {
  it('tells names that stand twice, without a password', () => {
    const faults = accountFaults([{ user: 'a', pass: 'p1' }, { user: 'b', pass: 'p2' }, { user: 'a', pass: 'p3' }])
    expect(faults.map(formatFault)).toEqual(['accounts[2].user: is the name of two accounts: "a"'])
  })
})
