import { leakCounter } from '@sluice/testkit'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { deadline } from '../src/index.js'

describe('deadline()', () => {
  beforeEach(() => { vi.useFakeTimers() })
  afterEach(() => { vi.useRealTimers() })

  it.each([1, 10, 40, 200, 1_000, 10_000, 300_000])('of %i ms expires once: not early, and late by a twentieth or 128 ms at most', (ms) => {
    const precisionMs = Math.max(1, Math.min(ms / 20, 128))
    for (const offset of [0, 3, 77, 129]) {
      vi.advanceTimersByTime(offset)
      const start = performance.now()
      const times: number[] = []
      deadline(ms, () => times.push(performance.now() - start))
      vi.advanceTimersByTime(3 * ms)
      expect(times).toHaveLength(1)
      expect(times[0]).toBeGreaterThanOrEqual(ms - 1)
      expect(times[0]).toBeLessThanOrEqual(ms + precisionMs + 1)
    }
    expect(vi.getTimerCount()).toBe(0)
  })

  it('of 0 ms never expires and has no timer', () => {
    const expired = vi.fn()
    const cancel = deadline(0, expired)
    expect(vi.getTimerCount()).toBe(0)
    vi.advanceTimersByTime(1e6)
    cancel()
    expect(expired).not.toHaveBeenCalled()
  })

  it('does not expire once it is cancelled, and leaves no timer', () => {
    const expired = vi.fn()
    const cancel = deadline(100, expired)
    cancel()
    cancel()
    expect(vi.getTimerCount()).toBe(0)
    vi.advanceTimersByTime(1_000)
    expect(expired).not.toHaveBeenCalled()
  })

  it('shares its timer with others that fall due together', () => {
    const cancels = Array.from({ length: 1_000 }, () => deadline(10_000, () => {}))
    expect(vi.getTimerCount()).toBe(1)
    for (const cancel of cancels.slice(1)) cancel()
    expect(vi.getTimerCount()).toBe(1)
    cancels[0]?.()
    expect(vi.getTimerCount()).toBe(0)
  })

  it('may cancel others that fall due with it, and set new ones', () => {
    const late = vi.fn()
    const again = vi.fn()
    deadline(100, () => {
      cancelLate()
      deadline(100, again)
    })
    const cancelLate = deadline(100, late)
    vi.advanceTimersByTime(110)
    expect(again).not.toHaveBeenCalled()
    vi.advanceTimersByTime(110)
    expect(late).not.toHaveBeenCalled()
    expect(again).toHaveBeenCalledTimes(1)
  })

  it('cancelled after it expired takes nothing from later ones', () => {
    const first = deadline(100, () => {})
    vi.advanceTimersByTime(110)
    const later = vi.fn()
    deadline(100, later)
    first()
    vi.advanceTimersByTime(110)
    expect(later).toHaveBeenCalledTimes(1)
  })
})

describe('deadline() on the real clock', () => {
  it('expires in time', async () => {
    const counter = leakCounter()
    const start = performance.now()
    await new Promise<void>((resolve) => { deadline(60, resolve) })
    expect(performance.now() - start).toBeGreaterThanOrEqual(58)
    await counter.expectNoLeaks()
  })
})
