import { format, inspect } from 'node:util'
import { describe, expect, it } from 'vitest'
import { Secret } from '../src/index.js'

describe('T3 Secret', () => {
  const secret = new Secret('hunter2')

  it('tells its value to whoever asks by name', () => {
    expect(secret.reveal()).toBe('hunter2')
  })

  it.each([
    ['a template', () => `${secret}`],
    ['concatenation', () => 'x' + (secret as unknown as string)],
    ['String()', () => String(secret)],
    ['JSON', () => JSON.stringify({ secret, list: [secret] })],
    ['inspect()', () => inspect({ deep: { secret } }, { depth: 9, showHidden: true, getters: true })],
    ['format()', () => format('%s %o %O %j', secret, secret, secret, secret)],
    ['an error message', () => inspect(new Error(`failed with ${secret}`, { cause: secret }))],
    ['its properties', () => JSON.stringify([Reflect.ownKeys(secret), Object.entries(secret), { ...secret }])],
    ['a clone', () => JSON.stringify(structuredClone(secret))],
  ])('does not show in %s', (_, show) => {
    expect(show()).not.toContain('hunter2')
  })

  it('shows as three stars', () => {
    expect([`${secret}`, JSON.stringify(secret), inspect(secret)]).toEqual(['***', '"***"', '***'])
  })
})
