import { setMaxListeners } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import type { Connection } from '@sluice/core'
import { answerConnects, pattern, type RawHttp2Upstream } from '@sluice/testkit'
import {
  connect, CountingDialer, echoes, failsWith, onlyTarget, openIn, outboundTo, poolTo, proxyOf, times, until, upstreamOf, within,
} from './harness.js'

const FAST = { hedgeAfterMs: 60, judgeAfterMs: 30 }

function requestsFor(authority: string, { peers }: RawHttp2Upstream): number {
  return peers.flatMap(({ requests }) => requests).filter((request) => request.authority === authority).length
}

describe('HedgedTunnel', () => {
  it('opens a tunnel whose target takes 1.5 s at that time, with at most 2 requests', async () => {
    const upstream = await proxyOf({ delayMs: 1_500 })
    const outbound = outboundTo([upstream])
    const startedAt = performance.now()
    await Promise.all(times(3, () => connect(outbound)))
    expect(performance.now() - startedAt).toBeGreaterThan(1_480)
    expect(performance.now() - startedAt).toBeLessThan(2_000)
    expect(requestsFor('target.test:443', upstream)).toBeLessThanOrEqual(6)
    // The other requests were cancelled.
    await until(() => upstream.peers.flatMap(({ openStreams }) => openStreams).length === 3, 'the losers to be reset')
  })

  it('asks once for a tunnel that is alone in a session that lives', async () => {
    const upstream = await proxyOf({ delayMs: 250 })
    await openIn(poolTo(upstream, FAST))
    expect([upstream.connections, requestsFor('target.test:443', upstream)]).toEqual([1, 1])
  })

  it('opens 100 tunnels to a server that answers only 6 in each connection', async () => {
    const upstream = await proxyOf({ maxAnswered: 6 })
    const dialer = new CountingDialer()
    const outbound = outboundTo([upstream])
    const startedAt = performance.now()
    const tunnels = await Promise.all(times(100, () => connect(outbound, dialer)))
    expect(performance.now() - startedAt).toBeLessThan(5_000)
    await Promise.all(tunnels.map((tunnel) => echoes(tunnel, pattern(1_000))))
    expect(dialer.dials).toBeLessThan(30)
    // From then on nobody waits in vain.
    const later = performance.now()
    await Promise.all(times(30, () => connect(outbound, dialer)))
    expect(performance.now() - later).toBeLessThan(500)
  })

  it('opens tunnels one by one at such a server, and learns from two that waited', async () => {
    const upstream = await proxyOf({ maxAnswered: 6 })
    const pool = poolTo(upstream, FAST)
    for (let count = 0; count < 40; count++) await within(500, `tunnel ${count}`, openIn(pool))
    expect(pool.learned.streams).toBe(6)
    expect(Math.max(...[...pool.sessions].map(({ answered }) => answered))).toBe(6)
  })

  it('finds that one connection answers less than others do, as one of Apache\'s in which tunnels were cut', async () => {
    const upstream = await proxyOf(({ index }) => ({ maxAnswered: index === 0 ? 2 : 6 }))
    const pool = poolTo(upstream, FAST)
    const [first] = await Promise.all(times(2, () => openIn(pool)))
    const tunnels = await within(2_000, 'all tunnels', Promise.all(times(60, () => openIn(pool))))
    const [narrow] = pool.sessions
    expect(narrow).toMatchObject({ answered: 2, streams: 2, free: 0 })
    expect(pool.learned.streams).toBe(6)
    expect([...pool.sessions].filter(({ unanswered }) => unanswered > 0)).toEqual([])
    await echoes(first as Connection, pattern(1_000))
    await Promise.all(tunnels.map((tunnel) => echoes(tunnel, pattern(1_000))))
  })

  it('asks on a third connection where the first two answer no more', async () => {
    const upstream = await proxyOf(({ index }) => [{ maxAnswered: 2 }, { maxAnswered: 0 }][index] ?? {})
    const pool = poolTo(upstream, FAST)
    await Promise.all(times(2, () => openIn(pool)))
    const tunnels = await within(2_000, 'all tunnels', Promise.all(times(2, () => openIn(pool))))
    await Promise.all(tunnels.map((tunnel) => echoes(tunnel, pattern(1_000))))
    await until(() => upstream.peers.flatMap(({ openStreams }) => openStreams).length === 4, 'the others to be reset')
    expect(upstream.connections).toBe(3)
  })

  it('closes such a connection with its last tunnel', async () => {
    const upstream = await proxyOf(({ index }) => (index === 0 ? { maxAnswered: 2 } : { delayMs: 50 }))
    const pool = poolTo(upstream, FAST)
    const early = await Promise.all(times(2, () => openIn(pool)))
    await Promise.all(times(60, () => openIn(pool)))
    const goaway = upstream.peers[0]?.expectFrame('GOAWAY')
    for (const tunnel of early) tunnel.destroy()
    await goaway
    await until(() => upstream.peers[0]?.ending !== undefined, 'the connection to be closed')
  })

  it('forgets after a time what it has learned', async () => {
    const upstream = await proxyOf({ maxAnswered: 2 })
    const pool = poolTo(upstream, { ...FAST, learnedMs: 400 })
    await Promise.all(times(10, () => openIn(pool)))
    expect(pool.learned.streams).toBe(2)
    await until(() => pool.learned.streams === Number.POSITIVE_INFINITY, 'it to be forgotten')
  })

  it('learns nothing from a target that is slow now and then', async () => {
    const slow = new Set<string>()
    const upstream = await proxyOf({
      // The first request for such a target is lost, as its SYN may be; the second is answered at once.
      status: ({ authority = '' }) => {
        if (!authority.startsWith('slow') || slow.has(authority)) return 200
        slow.add(authority)
        return undefined
      },
    })
    const pool = poolTo(upstream, { hedgeAfterMs: 150, judgeAfterMs: 60 })
    await Promise.all(times(10, () => openIn(pool)))
    for (let count = 0; count < 5; count++) {
      await Promise.all([openIn(pool, { authority: `slow-${count}.test:1` }), openIn(pool), sleep(20).then(() => openIn(pool))])
      await sleep(50)
    }
    expect(pool.learned.streams).toBe(Number.POSITIVE_INFINITY)
    expect(upstream.connections).toBe(2)
    const before = upstream.connections
    await Promise.all(times(60, () => openIn(pool)))
    expect(upstream.connections).toBe(before)
  })

  it('learns nothing from targets that the server answers all at once, late', async () => {
    const waiting: (() => void)[] = []
    const upstream = await proxyOf((peer) => ({
      status: ({ authority, streamId }) => {
        if (authority === 'target.test:443') return 200
        waiting.push(() => peer.headers(streamId, [[':status', '200']]))
        if (waiting.length === 6) setTimeout(() => waiting.reverse().forEach((answer) => answer()), 5)
        return undefined
      },
    }))
    const pool = poolTo(upstream, FAST)
    await Promise.all(times(5, () => openIn(pool)))
    await Promise.all(times(5, () => openIn(pool, { authority: 'late.test:1' })))
    await sleep(60)
    expect(pool.learned.streams).toBe(Number.POSITIVE_INFINITY)
  })

  it('takes what the server answers as the answer, wherever it came from', async () => {
    const upstream = await proxyOf((peer) => ({ status: (request) => onlyTarget(request) ?? (peer.index === 0 ? undefined : 403) }))
    const pool = poolTo(upstream, FAST)
    await openIn(pool)
    const error = await within(500, 'the answer', failsWith('STATUS', openIn(pool, { authority: 'refused.test:1' })))
    expect(error).toMatchObject({ status: 403 })
    await until(() => upstream.peers.flatMap(({ openStreams }) => openStreams).length === 1, 'the other request to be reset')
  })

  it('fails with the answer at once, though a second request waits for a slot', async () => {
    const upstream = await proxyOf({ status: onlyTarget })
    const pool = poolTo(upstream, FAST, { maxConnections: 1 })
    await openIn(pool)
    const failing = failsWith('STATUS', openIn(pool, { authority: 'refused.test:1' }))
    await sleep(100)
    upstream.peers[0]?.headers(3, [[':status', '502']], { endStream: true })
    await within(50, 'the failure', failing)
  })

  it('lets a second request end with its tunnel, where no connection may be added', async () => {
    const upstream = await proxyOf({ delayMs: 200 })
    const pool = poolTo(upstream, FAST, { maxConnections: 1 })
    await Promise.all(times(3, () => openIn(pool)))
    expect([...pool.sessions].map(({ streams }) => streams)).toEqual([3])
    expect(requestsFor('target.test:443', upstream)).toBe(3)
  })

  it('takes no connection for a second request that is needed no more', async () => {
    const upstream = await upstreamOf(async (peer) => {
      if (peer.index > 0) await peer.wait(150)
      await answerConnects(peer, { delayMs: 100 })
    })
    const pool = poolTo(upstream, FAST)
    await Promise.all(times(2, () => openIn(pool)))
    await sleep(200)
    expect(upstream.peers[1]?.requests ?? []).toHaveLength(0)
    expect([...pool.sessions].reduce((sum, { streams }) => sum + streams, 0)).toBe(2)
  })

  it('asks for few tunnels twice at once', async () => {
    const upstream = await proxyOf({ status: ({ authority }) => (authority === 'never.test:1' ? undefined : 200) })
    const pool = poolTo(upstream, { ...FAST, hedgeAfterMs: 120 })
    const cancel = new AbortController()
    setMaxListeners(0, cancel.signal)
    const waiting = times(30, () => openIn(pool, { authority: 'never.test:1', signal: cancel.signal }).catch(() => {}))
    await sleep(240)
    expect(requestsFor('never.test:1', upstream)).toBe(34)
    cancel.abort()
    await Promise.all(waiting)
    await until(() => upstream.peers.flatMap(({ openStreams }) => openStreams).length === 0, 'the requests to be reset')
    expect([...pool.sessions].map(({ streams }) => streams)).toEqual([0, 0])
  })

  it('gives an aborted tunnel\'s slot back, whenever the abort comes', async () => {
    const upstream = await proxyOf({ delayMs: 5 })
    const pool = poolTo(upstream, FAST)
    await openIn(pool)
    await Promise.all(times(100, async (index) => {
      const cancel = new AbortController()
      const opening = openIn(pool, { signal: cancel.signal })
      opening.catch(() => {})
      for (let turn = 0; turn < index % 7; turn++) await Promise.resolve()
      if (index % 3 === 0) await sleep(index / 10)
      cancel.abort(new Error('enough'))
      const tunnel = await opening.catch(() => undefined)
      tunnel?.destroy()
    }))
    const slots = (): number => [...pool.sessions].reduce((sum, { streams }) => sum + streams, 0)
    await until(() => slots() <= 1, 'the slots')
    expect(slots()).toBe(1)
    await until(() => upstream.peers.flatMap(({ openStreams }) => openStreams).length === 1, 'the streams to be reset')
  })
})

describe('rapid reset', () => {
  it('T9 of our streams, each at once, is answered by at most 5 requests per tunnel', async () => {
    const upstream = await upstreamOf((peer) => {
      peer.watch(({ type, streamId }) => { if (type === 1) peer.rst(streamId, 7) })
      return answerConnects(peer, { status: () => undefined })
    })
    const outbound = outboundTo([upstream])
    await Promise.all(times(50, () => failsWith('REFUSED', connect(outbound))))
    expect(requestsFor('target.test:443', upstream)).toBeLessThanOrEqual(250)
  })
})
