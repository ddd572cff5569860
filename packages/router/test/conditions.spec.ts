import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { tcp } from '@sluice/core'
import { addressCondition } from '../src/condition/address-condition.js'
import { domainCondition, nameMatcher } from '../src/condition/domain-condition.js'
import { parsePorts, portCondition } from '../src/condition/port-condition.js'
import { factsOf } from './facts.js'

const holds = (pattern: string, name: string): boolean => nameMatcher([pattern])(name)
const contains = (pattern: string, address: string): boolean =>
  addressCondition('ip', [pattern], { addressesOf: ({ addresses }) => addresses }).matches(factsOf('a', [address]))

describe('domainCondition()', () => {
  it.each([
    ['oogle', 'www.google.com'], ['keyword:oogle', 'www.google.com'], 
    ['domain:google.com', 'google.com'], ['domain:google.com', 'www.google.com'], ['domain:com', 'google.com'], ['dotless:', 'localhost'],
    ['dotless:ocal', 'localhost'], ['regexp:^www\\.', 'www.a'], ['regexp:GOOGLE', 'google.com'], ['domain:Google.com', 'a.b.google.com'],
  ])('%s holds for %s', (pattern, name) => {
    expect(holds(pattern, name)).toBe(true)
  })

  it.each([
    ['full:google.com', 'www.google.com'], ['domain:google.com', 'notgoogle.com'], ['domain:google.com', 'google.com.evil'],
    ['dotless:', 'a.b'], ['regexp:^www\\.', 'a.www.b'], ['keyword:x', 'google.com'],
  ])('%s does not hold for %s', (pattern, name) => {
    expect(holds(pattern, name)).toBe(false)
  })

  it('holds for no address, which is no name', () => {
    const { session } = factsOf('10.0.0.1')
    expect(domainCondition('domain', ['10', 'regexp:.*']).matches({ session, name: undefined, addresses: ['10.0.0.1'] })).toBe(false)
  })

  it('T13 tells a name by an expression that would hang a backtracking engine', () => {
    const name = `${'a'.repeat(250)}!`
    const startedAt = performance.now()
    expect(holds('regexp:^(a+)+$', name)).toBe(false)
    expect(performance.now() - startedAt).toBeLessThan(1_000)
  })

  it('finds a suffix exactly at a label', () => {
    const label = fc.stringMatching(/^[a-z]{1,5}$/)
    fc.assert(fc.property(fc.array(label, { minLength: 1, maxLength: 5 }), fc.array(label, { minLength: 1, maxLength: 3 }), (name, suffix) => {
      const expected = name.slice(-suffix.length).join('.') === suffix.join('.')
      expect(holds(`domain:${suffix.join('.')}`, name.join('.'))).toBe(expected)
    }))
  })
})

describe('addressCondition()', () => {
  it.each<[string, string]>([
    ['10.0.0.0/8', '10.1.2.3'], ['1.2.3.4', '1.2.3.4'], ['2001:db8::/32', '2001:db8::1'], ['::1', '::1'], ['10.0.0.0/8', '::ffff:10.1.2.3'],
    ['::ffff:10.0.0.0/104', '10.9.9.9'], ['!10.0.0.0/8', '11.0.0.1'], ['geoip:!private', '8.8.8.8'], ['0.0.0.0/0', '9.9.9.9'],
    ...['127.0.0.1', '192.168.1.1', '169.254.169.254', '100.64.0.1', '::1', 'fd00::1', 'fe80::1', '0.0.0.0', '224.0.0.1'].map((address): [string, string] => ['geoip:private', address]),
  ])('%s has %s', (pattern, address) => {
    expect(contains(pattern, address)).toBe(true)
  })

  it.each([
    ['10.0.0.0/8', '11.0.0.1'], ['0.0.0.0/0', '::1'], ['::/0', '1.2.3.4'], ['geoip:private', '8.8.8.8'], ['geoip:private', '2606:4700::1'],
    ['!10.0.0.0/8', '10.0.0.1'], ['10.0.0.0/8', 'name.test'],
  ])('%s has not %s', (pattern, address) => {
    expect(contains(pattern, address)).toBe(false)
  })

  it('holds for nothing where the addresses are not known', () => {
    expect(addressCondition('ip', ['!10.0.0.0/8'], { addressesOf: ({ addresses }) => addresses }).matches(factsOf('a'))).toBe(false)
  })
})

describe('parsePorts()', () => {
  it.each([[80, [[80, 80]]], ['53,443,1000-2000', [[53, 53], [443, 443], [1000, 2000]]], [' 1 - 2 ', [[1, 2]]], ['', undefined], ['a', undefined], ['2-1', undefined], ['65536', undefined]])('reads %j', (text, ranges) => {
    expect(parsePorts(text)).toEqual(ranges)
  })

  it('makes ranges that hold at both ends', () => {
    const condition = portCondition('port', parsePorts('10-20') ?? [], ({ session: { target } }) => target.port)
    const at = (port: number): boolean => condition.matches(factsOf('a', undefined, { target: tcp('a', port) }))
    expect([9, 10, 20, 21].map(at)).toEqual([false, true, true, false])
  })
})
