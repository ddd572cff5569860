import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { BufferPool, type Borrower } from '../src/buffer-pool.js'

class Holder implements Borrower {
  readonly pool: BufferPool
  buffer: Buffer | undefined
  usedAt = performance.now()

  constructor(pool: BufferPool) {
    this.pool = pool
    this.buffer = pool.take(this)
  }

  giveBackUnlessUsedSince(sinceMs: number): void {
    if (this.usedAt < sinceMs) this.giveBack()
  }

  giveBack(): void {
    if (this.buffer !== undefined) this.pool.give(this, this.buffer)
    this.buffer = undefined
  }
}

describe('BufferPool', () => {
  beforeEach(() => { vi.useFakeTimers() })
  afterEach(() => { vi.useRealTimers() })

  it('lends buffers of its size up to its bound, and again what was given back', () => {
    const pool = new BufferPool(1_000, 2)
    const [one, two] = [new Holder(pool), new Holder(pool)]
    expect(one.buffer).toHaveLength(1_000)
    expect(two.buffer).not.toBe(one.buffer)
    expect(pool.take(one)).toBeUndefined()
    const { buffer } = one
    one.giveBack()
    expect(pool.lent).toBe(1)
    expect(new Holder(pool).buffer).toBe(buffer)
  })

  it('never lends again what was lost', () => {
    const pool = new BufferPool(1_000, 1)
    const holder = new Holder(pool)
    pool.lose(holder)
    expect(pool.lent).toBe(0)
    expect(new Holder(pool).buffer).not.toBe(holder.buffer)
  })

  it('takes back what is not used for a second, within two', () => {
    const pool = new BufferPool(1_000, 2)
    const [busy, quiet] = [new Holder(pool), new Holder(pool)]
    for (let ms = 0; ms < 2_100; ms += 100) {
      busy.usedAt = performance.now()
      vi.advanceTimersByTime(100)
    }
    expect(quiet.buffer).toBeUndefined()
    expect(busy.buffer).toBeDefined()
    expect(pool.lent).toBe(1)
  })

  it('runs no timer once all is given back and let go', () => {
    const pool = new BufferPool(1_000, 8)
    const holders = Array.from({ length: 8 }, () => new Holder(pool))
    expect(vi.getTimerCount()).toBe(1)
    for (const holder of holders) holder.giveBack()
    vi.advanceTimersByTime(5_000)
    expect(vi.getTimerCount()).toBe(0)
    expect(new Holder(pool).buffer).toHaveLength(1_000)
  })
})
