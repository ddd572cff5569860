import { describe, expect, it } from 'vitest'
import { InstanceEvents, type OutboundHandler, type OutboundManager } from '@sluice/core'
import { Prober, type ProberOptions } from '../src/observatory/prober.js'
import { ManualClock } from './manual-clock.js'

const handler = (tag: string): OutboundHandler => ({ tag, protocol: 'test', process: () => Promise.reject(new Error('not here')) })
const handlers = new Map(['up-1', 'up-2', 'direct'].map((tag) => [tag, handler(tag)]))
const outbounds: OutboundManager = { default: undefined, get: (tag) => handlers.get(tag), tags: [...handlers.keys()] }

class Probes {
  readonly clock = new ManualClock()
  readonly probed: string[] = []
  readonly logged: string[] = []
  readonly prober: Prober
  /** What the next probes do. */
  answer: (tag: string, signal: AbortSignal) => Promise<void> = () => Promise.resolve()
  running = 0
  most = 0

  constructor(options: Partial<ProberOptions> = {}) {
    const events = new InstanceEvents()
    events.on('log', ({ level, message }) => void this.logged.push(`${level} ${message}`))
    this.prober = new Prober({
      selector: ['up'], intervalMs: 10_000, timeoutMs: 5_000, samples: 2, concurrent: false, clock: this.clock,
      probe: async ({ tag }, signal) => {
        this.probed.push(tag)
        this.most = Math.max(this.most, ++this.running)
        try {
          await this.answer(tag, signal)
        } finally {
          this.running--
        }
      },
      ...options,
    }, outbounds, events)
  }
}

/** Settles with the signal only. */
const silent = (_: string, signal: AbortSignal): Promise<void> =>
  new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true }))

describe('Prober', () => {
  it('probes the selected in rounds, one after the other or all at once', async () => {
    for (const concurrent of [false, true]) {
      const probes = new Probes({ concurrent })
      probes.answer = () => new Promise(setImmediate)
      probes.prober.start()
      expect(probes.probed).toEqual([])
      await probes.clock.advance(0)
      await new Promise(setImmediate)
      await new Promise(setImmediate)
      expect(probes.probed).toEqual(['up-1', 'up-2'])
      expect(probes.most).toBe(concurrent ? 2 : 1)
      await probes.clock.advance(9_999)
      expect(probes.probed).toHaveLength(2)
      await probes.clock.advance(1)
      await new Promise(setImmediate)
      await new Promise(setImmediate)
      expect(probes.probed).toHaveLength(4)
      await probes.prober.close()
      expect(probes.clock.pending).toBe(0)
    }
  })

  it('knows nothing before, then the mean of the latest, and tells what changed once', async () => {
    const probes = new Probes({ selector: ['up-1'] })
    probes.prober.start()
    expect(probes.prober.health('up-1')).toBeUndefined()
    await probes.clock.advance(0)
    expect(probes.prober.health('up-1')).toMatchObject({ alive: true, failed: 0 })
    probes.answer = () => Promise.reject(new Error('refused'))
    await probes.clock.advance(10_000)
    expect(probes.prober.health('up-1')).toMatchObject({ alive: true, failed: 0.5 })
    await probes.clock.advance(10_000)
    await probes.clock.advance(10_000)
    expect(probes.prober.health('up-1')).toMatchObject({ alive: false, failed: 1 })
    probes.answer = () => Promise.resolve()
    await probes.clock.advance(10_000)
    expect(probes.logged).toEqual([
      'info Outbound "up-1" answers probes after 0 ms', 'warning Outbound "up-1" answers no probes: refused', 'info Outbound "up-1" answers probes after 0 ms',
    ])
    expect(probes.prober.health('direct')).toBeUndefined()
    await probes.prober.close()
  })

  it('gives a silent one up, and leaves no timer', async () => {
    const probes = new Probes({ selector: ['up-1'] })
    probes.answer = silent
    probes.prober.start()
    await probes.clock.advance(0)
    await probes.clock.advance(5_000)
    expect(probes.prober.health('up-1')).toMatchObject({ alive: false })
    expect(probes.logged).toEqual(['warning Outbound "up-1" answers no probes: There was no answer within 5000 ms'])
    await probes.prober.close()
    expect(probes.clock.pending).toBe(0)
  })

  it('breaks off what is under way when it is closed, and counts it for nothing', async () => {
    const probes = new Probes()
    probes.answer = silent
    probes.prober.start()
    await probes.clock.advance(0)
    await probes.prober.close()
    expect([probes.running, probes.clock.pending, probes.probed]).toEqual([0, 0, ['up-1']])
    expect(probes.prober.health('up-1')).toBeUndefined()
    expect(probes.logged).toEqual([])
  })
})
