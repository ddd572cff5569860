import { describe, expect, it } from 'vitest'
import { suggestion } from '../src/index.js'

const hintFor = (word: string, ...candidates: string[]): string | undefined => suggestion(word, candidates).hint

describe('suggestion()', () => {
  it.each([
    ['inbound', 'inbounds'], ['Inbounds', 'inbounds'], ['inbuonds', 'inbounds'], ['outbonuds', 'outbounds'], ['polcy', 'policy'], ['SOCKS', 'socks'],
    ['prot', 'port'], ['Username', 'user'], ['Password', 'pass'],
  ])('finds what %j is meant to be', (word, meant) => {
    expect(hintFor(word, 'inbounds', 'outbounds', 'policy', 'socks', 'port', 'user', 'pass')).toBe(`did you mean "${meant}"?`)
  })

  it('says nothing where nothing is near', () => {
    expect(hintFor('dns', 'inbounds', 'outbounds', 'policy')).toBeUndefined()
    expect(hintFor('abcdef', 'uvwxyz')).toBeUndefined()
    expect(hintFor('a')).toBeUndefined()
    expect(hintFor('', 'a-b')).toBeUndefined()
  })

  it('takes the nearest of several', () => {
    expect(hintFor('uplink', 'downlink', 'uplinks', 'uplinkOnly')).toBe('did you mean "uplinks"?')
  })

  it('gives up on very long words, quickly', () => {
    const long = 'x'.repeat(1_000_000)
    expect(hintFor(long, `${long.slice(1)}y`)).toBeUndefined()
  })
})
