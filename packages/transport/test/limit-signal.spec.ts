import { getEventListeners } from 'node:events'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { limitSignal } from '../src/index.js'

const timeUp = (): Error => new Error('time is up')

describe('limitSignal()', () => {
  beforeEach(() => { vi.useFakeTimers() })
  afterEach(() => { vi.useRealTimers() })

  it('aborts after its limit with the error made for it', () => {
    const parent = new AbortController()
    const limit = limitSignal(parent.signal, 1_000, timeUp)
    vi.advanceTimersByTime(990)
    expect(limit.signal.aborted).toBe(false)
    vi.advanceTimersByTime(100)
    expect(limit.signal.reason).toEqual(timeUp())
    expect(parent.signal.aborted).toBe(false)
    expect(getEventListeners(parent.signal, 'abort')).toEqual([])
  })

  it('aborts with its parent and for the same reason', () => {
    const parent = new AbortController()
    const limit = limitSignal(parent.signal, 1_000, timeUp)
    const reason = { any: 'value' }
    parent.abort(reason)
    expect(limit.signal.reason).toBe(reason)
    expect(vi.getTimerCount()).toBe(0)
    expect(getEventListeners(parent.signal, 'abort')).toEqual([])
  })

  it('is aborted from the start where its parent is', () => {
    const parent = AbortSignal.abort('gone')
    const limit = limitSignal(parent, 1_000, timeUp)
    expect(limit.signal.aborted).toBe(true)
    expect(limit.signal.reason).toBe('gone')
    expect(vi.getTimerCount()).toBe(0)
    limit[Symbol.dispose]()
  })

  it('of 0 ms only follows its parent', () => {
    const parent = new AbortController()
    const limit = limitSignal(parent.signal, 0, timeUp)
    expect(limit.signal).toBe(parent.signal)
    expect(vi.getTimerCount()).toBe(0)
    vi.advanceTimersByTime(1e6)
    expect(limit.signal.aborted).toBe(false)
    parent.abort('gone')
    expect(limit.signal.reason).toBe('gone')
    limit[Symbol.dispose]()
  })

  it('lets go of parent and clock when disposed, more than once', () => {
    const parent = new AbortController()
    const limit = limitSignal(parent.signal, 1_000, timeUp)
    limit[Symbol.dispose]()
    limit[Symbol.dispose]()
    expect(vi.getTimerCount()).toBe(0)
    expect(getEventListeners(parent.signal, 'abort')).toEqual([])
    parent.abort('gone')
    expect(limit.signal.aborted).toBe(false)
  })
})
