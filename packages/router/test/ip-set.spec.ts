import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { addressBytes, IpSet, type Cidr } from '../src/condition/ip-set.js'

const bitsOf = (bytes: ArrayLike<number>): string => Array.from(bytes, (byte) => byte.toString(2).padStart(8, '0')).join('')

describe('IpSet', () => {
  it.each([4, 16])('has exactly what one of its networks has, in addresses of %i bytes', (size) => {
    // Few distinct bytes, so that networks meet.
    const bytes = fc.array(fc.constantFrom(0, 1, 128, 255), { minLength: size, maxLength: size })
    const networks = fc.array(fc.record<Cidr>({ bytes, bits: fc.integer({ min: 0, max: size * 8 }) }), { maxLength: 12 })
    fc.assert(fc.property(networks, bytes, (cidrs, address) => {
      const expected = cidrs.some(({ bytes: network, bits }) => bitsOf(network).slice(0, bits) === bitsOf(address).slice(0, bits))
      expect(new IpSet(cidrs).has(address)).toBe(expected)
    }))
  })

  it('takes an IPv4 network that is written as IPv6 for what it is', () => {
    const set = new IpSet([{ bytes: [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255, 10, 0, 0, 0], bits: 104 }])
    expect(set.has(addressBytes('10.9.9.9') ?? [])).toBe(true)
    expect(set.has(addressBytes('::ffff:11.0.0.1') ?? [])).toBe(false)
  })

  it('finds an address among 100,000 networks without looking at each', () => {
    const networks = Array.from({ length: 100_000 }, (_, index): Cidr => ({ bytes: [10, index >> 12, (index >> 4) & 255, (index & 15) << 4], bits: 29 }))
    const set = new IpSet(networks)
    const startedAt = performance.now()
    let found = 0
    for (let index = 0; index < 100_000; index++) if (set.has([10, index >> 12, (index >> 4) & 255, ((index & 15) << 4) + (index % 2) * 9])) found++
    expect(found).toBe(50_000)
    expect(performance.now() - startedAt).toBeLessThan(1_000)
  })
})

describe('addressBytes()', () => {
  it.each(['1.2.3', '01.2.3.4.5', 'a', '', '1.2.3.4/8', '300.1.1.1'])('takes %j for no address', (text) => {
    expect(addressBytes(text)).toBeUndefined()
  })
})
