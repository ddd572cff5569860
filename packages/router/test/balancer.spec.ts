import { describe, expect, it } from 'vitest'
import { Balancer } from '../src/balancer/balancer.js'
import type { BalancerSettings } from '../src/balancer/balancer-settings.js'
import { LeastLoad } from '../src/balancer/least-load.js'
import { healthOf, type Health } from '../src/observatory/health.js'

const TAGS = ['up-1', 'up-2', 'up-3', 'direct']

const health = (rttMs: number, deviationMs = 0, failed = 0): Health => ({ alive: failed < 1, rttMs, deviationMs, failed })
const dead = health(Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY, 1)

function picks(known: Readonly<Record<string, Health>>, settings: Partial<BalancerSettings>): Set<string | undefined> {
  const balancer = new Balancer({ tag: 'b', selector: ['up'], ...settings }, TAGS, (tag) => known[tag])
  return new Set(Array.from({ length: 80 }, () => balancer.pick()))
}

describe('Balancer', () => {
  it.each(['random', 'roundRobin', 'leastPing', 'leastLoad'] as const)('avoids the dead by %s, until nobody is left', (type) => {
    const strategy = { type }
    expect(picks({ 'up-1': dead, 'up-3': dead }, { strategy })).toEqual(new Set(['up-2']))
    const allDead = { 'up-1': dead, 'up-2': dead, 'up-3': dead }
    expect(picks(allDead, { strategy, fallbackTag: 'direct' })).toEqual(new Set(['direct']))
    expect(picks(allDead, { strategy })).toEqual(new Set(['up-1', 'up-2', 'up-3']))
    expect(picks({}, { strategy })).toEqual(new Set(['up-1', 'up-2', 'up-3']))
    expect(picks({}, { strategy, selector: ['none'] })).toEqual(new Set([undefined]))
  })

  it('takes the quickest by leastPing, and nobody of whom nothing is known beside it', () => {
    expect(picks({ 'up-1': health(50), 'up-2': health(20) }, { strategy: { type: 'leastPing' } })).toEqual(new Set(['up-2']))
  })

  it('lets the best share by leastLoad, and falls back where nobody is good enough', () => {
    const known = { 'up-1': health(10, 5), 'up-2': health(90, 1), 'up-3': health(20, 3) }
    const by = (settings: object, fallbackTag = 'direct') => picks(known, { strategy: { type: 'leastLoad', settings }, fallbackTag })
    expect(by({})).toEqual(new Set(['up-2']))
    expect(by({ expected: 2 })).toEqual(new Set(['up-2', 'up-3']))
    expect(by({ maxRTT: '50ms' })).toEqual(new Set(['up-3']))
    expect(by({ maxRTT: '5ms' })).toEqual(new Set(['direct']))
  })
})

describe('LeastLoad', () => {
  const known: Record<string, Health> = { a: health(10, 1), b: health(10, 2), c: health(10, 10), d: health(9, 10, 0.5) }
  const best = (settings: ConstructorParameters<typeof LeastLoad>[0]): readonly string[] => new LeastLoad(settings).best(Object.keys(known), (tag) => known[tag])

  it('orders by deviation, then by time', () => {
    expect(best({ expected: 9 })).toEqual(['a', 'b', 'd', 'c'])
    expect(best({ expected: 9, tolerance: 0.4 })).toEqual(['a', 'b', 'c'])
  })

  it('takes all below the first baseline that holds enough', () => {
    expect(best({ baselines: ['3ms', '1.5ms'] })).toEqual(['a'])
    expect(best({ expected: 2, baselines: ['1.5ms', '3ms', '1s'] })).toEqual(['a', 'b'])
    expect(best({ expected: 3, baselines: ['1.5ms', '3ms'] })).toEqual(['a', 'b', 'd'])
    expect(best({ baselines: ['0.5ms'] })).toEqual(['a'])
  })

  it('counts costs in', () => {
    expect(best({ costs: [{ match: 'a', value: 25 }] })).toEqual(['b'])
    expect(best({ costs: [{ regexp: true, match: '^[ab]$', value: 400 }] })).toEqual(['d'])
    expect(best({ costs: [{ match: '^[ab]$', value: 400 }] })).toEqual(['a'])
  })
})

describe('healthOf()', () => {
  it('sums probes up', () => {
    expect(healthOf([10, undefined, 30, undefined])).toEqual({ alive: true, rttMs: 20, deviationMs: 10, failed: 0.5 })
    expect(healthOf([10])).toEqual({ alive: true, rttMs: 10, deviationMs: 5, failed: 0 })
    expect(healthOf([undefined])).toEqual(dead)
  })
})
