import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { TrafficCounter } from '../src/index.js'

describe('TrafficCounter', () => {
  it('adds up', () => {
    const counter = new TrafficCounter()
    counter.add(3)
    counter.add(4)
    expect(counter.value).toBe(7)
  })

  it('includes what a live source says at the moment of asking', () => {
    const counter = new TrafficCounter()
    const source = { bytes: 5 }
    counter.attach(() => source.bytes)
    expect(counter.value).toBe(5)
    source.bytes = 8
    expect(counter.value).toBe(8)
  })

  it('keeps the last figure of a released source and follows it no more', () => {
    const counter = new TrafficCounter()
    const source = { bytes: 5 }
    const release = counter.attach(() => source.bytes)
    source.bytes = 9
    release()
    source.bytes = 100
    expect(counter.value).toBe(9)
  })

  it('counts a source once, however often it is released', () => {
    const counter = new TrafficCounter()
    const release = counter.attach(() => 7)
    release()
    release()
    expect(counter.value).toBe(7)
  })

  it('counts the same function twice if it is attached twice', () => {
    const counter = new TrafficCounter()
    const read = (): number => 2
    const releases = [counter.attach(read), counter.attach(read)]
    expect(counter.value).toBe(4)
    releases[0]?.()
    expect(counter.value).toBe(4)
  })

  it('never goes down and ends at the sum of all sources, in any order of events', () => {
    const event = fc.record({ source: fc.nat(4), grow: fc.nat(1000), release: fc.boolean() })
    fc.assert(fc.property(fc.array(event), (events) => {
      const counter = new TrafficCounter()
      const sources = Array.from({ length: 5 }, () => ({ bytes: 0, ended: false }))
      const releases = sources.map((source) => counter.attach(() => source.bytes))
      let last = 0
      for (const { source: index, grow, release } of events) {
        const source = sources[index]
        if (source === undefined || source.ended) continue
        source.bytes += grow
        source.ended = release
        if (release) releases[index]?.()
        expect(counter.value).toBeGreaterThanOrEqual(last)
        last = counter.value
      }
      expect(counter.value).toBe(sources.reduce((sum, { bytes }) => sum + bytes, 0))
    }))
  })
})
