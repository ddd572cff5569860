import { describe, expect, it, vi } from 'vitest'
import { ProxyError } from '@sluice/core'
import { Server } from '../src/server.js'
import { ServerHealth } from '../src/server-health.js'
import { ServerPicker } from '../src/server-picker.js'

const down = new ProxyError('DIAL', 'refused')

function clocked(): { health: ServerHealth, wait(ms: number): void, now(): number } {
  let now = 1_000_000
  return { health: new ServerHealth(() => now, () => 0.5), wait: (ms) => { now += ms }, now: () => now }
}

describe('ServerHealth', () => {
  it('rests 1 s after a failure and doubles up to 30 s', () => {
    const { health, wait, now } = clocked()
    const rests = Array.from({ length: 7 }, () => {
      wait(60_000)
      health.admit()
      return health.failed(down, now())
    })
    expect(rests).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000])
  })

  it('counts failures of attempts that ran at the same time once', () => {
    const { health, wait, now } = clocked()
    const started = now()
    wait(10)
    expect(health.failed(down, started)).toBe(1_000)
    expect(health.failed(down, started)).toBeUndefined()
    wait(990)
    expect(health.isResting).toBe(true)
    wait(10)
    expect(health.isResting).toBe(false)
  })

  it('counts attempts that began and failed within one tick of the clock once', () => {
    const { health, now } = clocked()
    expect([health.failed(down, now()), health.failed(down, now()), health.failed(down, now())]).toEqual([1_000, undefined, undefined])
  })

  it('does not care for the time of day, which may be set back', () => {
    vi.useFakeTimers({ toFake: ['Date', 'performance'] })
    try {
      const health = new ServerHealth()
      health.admit()
      health.failed(down, performance.now())
      vi.setSystemTime(Date.now() - 3_600_000)
      expect(health.admit()).toBe(down)
      vi.advanceTimersByTime(1_200)
      expect(health.isResting).toBe(false)
      expect(health.admit()).toBeUndefined()
    } finally {
      vi.useRealTimers()
    }
  })

  it('lets one session probe after the rest', () => {
    const { health, wait, now } = clocked()
    health.failed(down, now())
    wait(1_000)
    expect(health.isResting).toBe(false)
    expect(health.admit()).toBeUndefined()
    expect(health.isResting).toBe(true)
    health.release()
    expect(health.isResting).toBe(false)
    expect(health.answered()).toBe(true)
    expect(health.answered()).toBe(false)
  })

  it('G9 admits five dials a second to a failing server and repeats its failure to the others', () => {
    const { health, wait, now } = clocked()
    health.admit()
    health.failed(down, now())
    let dials = 0
    for (let ms = 0; ms < 1_000; ms += 10) {
      wait(10)
      for (let client = 0; client < 10; client++) {
        const known = health.admit()
        if (known === undefined) dials++
        else expect(known).toBe(down)
      }
    }
    expect(dials).toBe(5)
  })

  it('takes three unanswered CONNECTs in a row for a failure, if they were for two targets', () => {
    const { health } = clocked()
    expect(['a:1', 'a:1', 'a:1', 'b:1'].map((target) => health.unanswered(target))).toEqual([false, false, false, true])
    health.answered()
    expect([health.unanswered('a:1'), health.unanswered('b:1'), health.unanswered('a:1')]).toEqual([false, false, true])
  })
})

describe('ServerPicker', () => {
  const servers = ['a', 'b', 'c'].map((address) => new Server({ address, port: 1 }, 'propagate'))

  it('C068 takes three servers in turn', () => {
    const picker = new ServerPicker(servers)
    const counts = new Map<string, number>()
    for (let session = 0; session < 300; session++) {
      const { name } = picker.pick(servers)
      counts.set(name, (counts.get(name) ?? 0) + 1)
    }
    expect([...counts.values()]).toEqual([100, 100, 100])
  })

  it('passes over servers that rest, and takes the least recently failed where all do', () => {
    const [a, b] = servers.map(({ name }) => new Server({ address: name.split(':')[0] ?? '', port: 1 }, 'propagate'))
    if (a === undefined || b === undefined) throw new Error('no servers')
    const picker = new ServerPicker([a, b])
    a.health.failed(down, performance.now())
    expect([picker.pick([a, b]), picker.pick([a, b])]).toEqual([b, b])
    Object.defineProperty(b, 'health', { value: new ServerHealth(() => performance.now() + 1_000) })
    b.health.failed(down, performance.now())
    expect(picker.pick([a, b])).toBe(a)
    expect(picker.pick([b])).toBe(b)
  })
})
