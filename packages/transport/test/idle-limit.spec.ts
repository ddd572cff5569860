import type { Duplex } from 'node:stream'
import type { SessionRecord } from '@sluice/core'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { IdleLimit } from '../src/idle-limit.js'
import { connectionPair, relay, SocketLink } from '../src/index.js'

const T = 300_000
const DEFAULTS = { connIdleMs: T, uplinkOnlyMs: 2_000, downlinkOnlyMs: 5_000 }

interface Running {
  readonly client: Duplex
  readonly target: Duplex
  readonly record: SessionRecord
  readonly done: Promise<void>
  /** Milliseconds from the start, once it settled. */
  settledAt?: number
}

/** A relay in memory, on a clock that stands still unless it is moved. */
function session(limits: Partial<typeof DEFAULTS> = {}): Running {
  const [client, down] = connectionPair()
  const [up, target] = connectionPair()
  client.resume()
  target.resume()
  const record: SessionRecord = { startedAt: 0, uplinkBytes: 0, downlinkBytes: 0, attempts: 1 }
  const start = performance.now()
  const options = { ...DEFAULTS, ...limits, record, signal: new AbortController().signal }
  const done = relay(new SocketLink(down, () => {}), up, options).finally(() => { running.settledAt = performance.now() - start })
  const running: Running = { client, target, record, done }
  return running
}

/** Moves the clock; in between, streams get their turn. */
async function pass(ms: number): Promise<void> {
  await vi.advanceTimersByTimeAsync(ms)
  await settle()
}

async function settle(): Promise<void> {
  for (let turn = 0; turn < 5; turn += 1) await new Promise(setImmediate)
}

describe('relay() on its own clock', () => {
  beforeEach(() => { vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] }) })
  afterEach(() => { vi.useRealTimers() })

  it.each([200, 10_000, 300_000])('C145 of %i ms ends idle at the limit and a twentieth, 128 ms at most', async (ms) => {
    const running = session({ connIdleMs: ms })
    await pass(ms - 1)
    expect(running.settledAt).toBeUndefined()
    await pass(ms)
    await running.done
    expect(running.settledAt).toBeGreaterThanOrEqual(ms - 1)
    expect(running.settledAt).toBeLessThanOrEqual(ms + Math.min(ms / 20, 128) + 1)
    expect(running.record.outcome).toBe('idle')
    expect(vi.getTimerCount()).toBe(0)
  })

  it('C145 lives as long as one byte moves every 0.9 of the limit, either way', async () => {
    const running = session()
    for (let round = 1; round <= 20; round += 1) {
      await pass(0.9 * T)
      ;(round % 2 === 0 ? running.client : running.target).write('.')
      await settle()
      expect(running.settledAt).toBeUndefined()
    }
    await pass(T - 1)
    expect(running.settledAt).toBeUndefined()
    await pass(130)
    await running.done
    expect(running.record).toMatchObject({ outcome: 'idle', uplinkBytes: 10, downlinkBytes: 10 })
    expect(vi.getTimerCount()).toBe(0)
  })

  it('C145 counts from the last byte, wherever it falls', async () => {
    for (const at of [0.001, 0.3, 0.5, 0.77, 0.999]) {
      const running = session()
      await pass(at * T)
      running.client.write('.')
      await settle()
      await pass(T - 2)
      expect(running.settledAt, `byte at ${at}`).toBeUndefined()
      await pass(135)
      await running.done
      expect(running.settledAt).toBeLessThanOrEqual((1 + at) * T + 130)
    }
    expect(vi.getTimerCount()).toBe(0)
  })

  it('lets the half that is open be idle for its own limit, not for connIdle', async () => {
    const target = session()
    target.target.end()
    await pass(1_990)
    expect(target.settledAt).toBeUndefined()
    await pass(120)
    await target.done
    const client = session()
    client.client.end()
    await pass(4_990)
    expect(client.settledAt).toBeUndefined()
    await pass(150)
    await client.done
    expect([target.record.outcome, client.record.outcome]).toEqual(['closed', 'closed'])
    expect(vi.getTimerCount()).toBe(0)
  })

  it('lets a half live as long as it is not idle itself, whatever connIdle is', async () => {
    const running = session({ connIdleMs: 1_000 })
    running.client.end()
    for (let round = 0; round < 5; round += 1) {
      await pass(4_500)
      expect(running.settledAt).toBeUndefined()
      running.target.write('.')
      await settle()
    }
    await pass(5_300)
    await running.done
    expect(running.record).toMatchObject({ outcome: 'closed', downlinkBytes: 5 })
  })

  it('counts the limit of a half from its beginning, however long nothing moved before', async () => {
    const running = session()
    await pass(0.9 * T)
    running.target.end()
    await pass(1_900)
    expect(running.settledAt).toBeUndefined()
    await pass(300)
    await running.done
    expect(running.record.outcome).toBe('closed')
  })

  it('does not take a stall of the event loop for silence', async () => {
    const running = session({ connIdleMs: 10_000 })
    // The timer fires late, and the byte that waits is read right after it.
    vi.advanceTimersByTime(60_000)
    running.client.write('.')
    await settle()
    expect(running.settledAt).toBeUndefined()
    await pass(10_600)
    await running.done
    expect(running.record.uplinkBytes).toBe(1)
  })

  it('has one timer while it runs, however many bytes move', async () => {
    const running = session()
    for (let round = 0; round < 100; round += 1) {
      running.client.write('.')
      running.target.write('.')
      await settle()
      expect(vi.getTimerCount()).toBe(1)
    }
    running.client.end()
    running.target.end()
    await settle()
    await running.done
    expect(vi.getTimerCount()).toBe(0)
  })
})

describe('IdleLimit', () => {
  it('stopped between its timer and its last look does not expire', async () => {
    let expired = 0
    const limit = new IdleLimit(() => 0, () => { expired += 1 })
    limit.start(1)
    // A busy turn, so that the timer runs, and then this before the last look.
    const until = performance.now() + 20
    await new Promise<void>((resolve) => {
      setTimeout(() => {
        limit.stop()
        resolve()
      }, 5)
      while (performance.now() < until);
    })
    await new Promise(setImmediate)
    expect(expired).toBe(0)
  })
})
