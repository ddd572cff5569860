import { EventEmitter } from 'node:events'
import { connect } from 'node:http2'
import { describe, expect, it } from 'vitest'
import { leakCounter, scriptedUpstream, tcpPair, until } from '../src/index.js'

describe('leakCounter()', () => {
  it('names timers, sockets and listeners that are left', async () => {
    const emitter = new EventEmitter()
    const { signal } = new AbortController()
    const counter = leakCounter({ watch: { 'the emitter': emitter, 'ctx.signal': signal } })
    expect(counter.leaks()).toEqual([])
    const timer = setTimeout(() => {}, 60_000)
    const pair = await tcpPair()
    await until(() => !process.getActiveResourcesInfo().includes('TCPServerWrap'), 'the server of the pair to be gone')
    const listener = (): void => {}
    emitter.on('data', listener)
    signal.addEventListener('abort', listener)
    expect(counter.leaks().sort()).toEqual([
      '1 Timeout', "1 listener for 'abort' on ctx.signal", "1 listener for 'data' on the emitter", '2 TCPSocketWrap',
    ])
    await expect(counter.expectNoLeaks(20)).rejects.toThrow(/nothing to be left: .*2 TCPSocketWrap/)
    clearTimeout(timer)
    for (const socket of pair) socket.destroy()
    emitter.off('data', listener)
    signal.removeEventListener('abort', listener)
    await expect(counter.expectNoLeaks()).resolves.toBeUndefined()
  })

  it('counts from the moment when it was made', async () => {
    const emitter = new EventEmitter().on('data', () => {})
    const timer = setTimeout(() => {}, 60_000)
    const counter = leakCounter({ watch: { emitter } })
    expect(counter.leaks()).toEqual([])
    emitter.on('data', () => {})
    expect(counter.leaks()).toEqual(["1 listener for 'data' on emitter"])
    clearTimeout(timer)
  })

  it('waits for what is on its way out', async () => {
    const counter = leakCounter()
    const timer = setTimeout(() => {}, 50)
    expect(counter.leaks()).toEqual(['1 Timeout'])
    await counter.expectNoLeaks()
    expect(timer.hasRef()).toBe(true)
  })

  it('sees an HTTP/2 session by its socket', async () => {
    const counter = leakCounter()
    const upstream = await scriptedUpstream([])
    const session = connect(`http://127.0.0.1:${upstream.port}`).on('error', () => {})
    await upstream.peer(0)
    expect(counter.leaks().length).toBeGreaterThan(0)
    session.destroy()
    await upstream.close()
    await counter.expectNoLeaks()
  })
})
