import { describe, expect, it } from 'vitest'
import { flushed, leakCounter, Peer, tcpPair, until, untilSteady, within } from '../src/index.js'

describe('within()', () => {
  it('gives what the promise gives, and leaves no timer', async () => {
    const counter = leakCounter()
    expect(await within(60_000, 'a value', Promise.resolve(7))).toBe(7)
    await expect(within(60_000, 'a value', Promise.reject(new Error('of its own')))).rejects.toThrow('of its own')
    expect(counter.leaks()).toEqual([])
  })

  it('says what it waited for when the time is up', async () => {
    await expect(within(10, 'the answer', new Promise(() => {}))).rejects.toThrow('Waited 10 ms in vain for the answer')
  })
})

describe('until()', () => {
  it('waits for the condition', async () => {
    let done = false
    setTimeout(() => { done = true }, 60)
    await until(() => done, 'the timer')
    expect(done).toBe(true)
  })

  it('says what it waited for when the time is up', async () => {
    let asked = 0
    await expect(until(() => false, () => `${asked += 1} thing`, 10)).rejects.toThrow('Waited 10 ms in vain for 1 thing')
  })

  it('passes on what the condition throws', async () => {
    await expect(until(() => { throw new Error('never again') }, 'it')).rejects.toThrow('never again')
  })
})

describe('untilSteady()', () => {
  it('gives the figure that no longer changes', async () => {
    let asked = 0
    expect(await untilSteady(() => Math.min(asked += 1, 5), 'the figure', 2_000, 10)).toBe(5)
  })

  it('gives up on one that always does', async () => {
    let figure = 0
    await expect(untilSteady(() => figure += 1, 'the figure', 30, 10)).rejects.toThrow('in vain for the figure to stay the same')
  })
})

describe('flushed()', () => {
  it('lets the other end read before a reset, which would look like an end otherwise', async () => {
    const [client, server] = (await tcpPair()).map((socket) => new Peer(socket)) as [Peer, Peer]
    server.socket.write('last words')
    await flushed()
    await server.reset()
    await client.closed
    expect([String(client.received), client.resetByPeer, client.ended]).toEqual(['last words', true, false])
  })
})
