import { ConfigError, InstanceEvents, STATS_MANAGER, type Config, type LogEntry } from '@sluice/core'
import { describe, expect, it } from 'vitest'
import { MAX_NAMES, NamedCounters } from '../src/index.js'
import { instanceOf } from './instance.js'

const statsOf = (config: Config) => instanceOf(config).get(STATS_MANAGER)

describe('statsFeature', () => {
  it('counts where the config has the section', () => {
    const stats = statsOf({ stats: {} })
    stats.counter('inbound>>>a>>>traffic>>>uplink')?.add(3)
    expect(stats.counter('inbound>>>a>>>traffic>>>uplink')?.value).toBe(3)
  })

  it('counts nothing where the config does not have it', () => {
    const stats = statsOf({})
    expect(stats.counter('inbound>>>a>>>traffic>>>uplink')).toBeUndefined()
    expect(stats.snapshot().size).toBe(0)
  })

  it('has no settings', () => {
    // @ts-expect-error there is no setting at all
    const config: Config = { stats: { enabled: true } }
    expect(() => instanceOf(config)).toThrow(ConfigError)
  })

  it('counts for each instance by itself', () => {
    const [one, other] = [statsOf({ stats: {} }), statsOf({ stats: {} })]
    one.counter('a')?.add(1)
    expect(other.snapshot().size).toBe(0)
  })
})

describe('NamedCounters', () => {
  it('gives the same counter for the same name', () => {
    const stats = new NamedCounters(new InstanceEvents())
    expect(stats.counter('a')).toBe(stats.counter('a'))
    expect(stats.counter('a')).not.toBe(stats.counter('b'))
  })

  it('snapshot() is sorted by name and does not change afterwards', () => {
    const stats = new NamedCounters(new InstanceEvents())
    for (const name of ['b', 'a', 'a>>>b', 'B', '10', '9']) stats.counter(name)?.add(1)
    const snapshot = stats.snapshot()
    stats.counter('a')?.add(1)
    expect([...snapshot]).toEqual([['10', 1], ['9', 1], ['B', 1], ['a', 1], ['a>>>b', 1], ['b', 1]])
  })

  it.each(['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty', ''])('counts right for the name %j', (name) => {
    const stats = new NamedCounters(new InstanceEvents())
    const release = stats.counter(name)?.attach(() => 5)
    stats.counter(name)?.add(2)
    release?.()
    expect([...stats.snapshot()]).toEqual([[name, 7]])
    expect(Object.keys(Object.prototype)).toEqual([])
  })

  it('stops at its bound, keeps counting the names that it has, and says so once', () => {
    const events = new InstanceEvents()
    const entries: LogEntry[] = []
    events.on('log', (entry) => void entries.push(entry))
    const stats = new NamedCounters(events)
    for (let index = 0; index < MAX_NAMES; index++) stats.counter(`user>>>${index}`)
    expect(stats.counter('one more')).toBeUndefined()
    expect(stats.counter('another')).toBeUndefined()
    stats.counter('user>>>0')?.add(4)
    expect(stats.snapshot().size).toBe(MAX_NAMES)
    expect(stats.snapshot().get('user>>>0')).toBe(4)
    expect(entries.map(({ level, message }) => `${level}: ${message}`)).toEqual(['warning: Further names are not counted: there are 100000 counters'])
  })
})
