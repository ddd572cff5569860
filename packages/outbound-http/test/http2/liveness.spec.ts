import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import { describe, expect, it } from 'vitest'
import type { Connection } from '@sluice/core'
import { answerConnects, FRAME, pattern, RawHttp2Peer } from '@sluice/testkit'
import {
  afterTest, connect, dialerOf, echoes, failsWith, isCut, openIn, outboundTo, poolTo, proxyOf, serverTls, times, until,
  upstreamOf, within,
} from './harness.js'

const FAST = { silenceMs: 150, pingLimitMs: 50, suspectMs: 20, hedgeAfterMs: 40 }

const WAYS: readonly (readonly [string, (peer: RawHttp2Peer) => void])[] = [
  ['FIN', (peer) => peer.fin()],
  ['RST', (peer) => peer.reset()],
  ['both sides closed', (peer) => peer.socket.destroy()],
  ['GOAWAY(ENHANCE_YOUR_CALM)', (peer) => peer.goaway(2 ** 31 - 1, 11)],
  ['GOAWAY(INTERNAL_ERROR) and FIN', (peer) => {
    peer.goaway(0, 2)
    peer.fin()
  }],
]

function closeOf(tunnel: Connection): Promise<void> {
  return new Promise((resolve) => tunnel.once('close', () => resolve()))
}

describe('a lost HTTP/2 connection', () => {
  const over = (wire: 'TCP' | 'TLS', ways = WAYS) => ways.map(([how, kill]) => [wire, how, kill] as const)
  it.each([...over('TCP'), ...over('TLS', WAYS.slice(0, 2))])(
    'C132 C137 over %s by %s cuts each of its 50 tunnels once, never as an end', async (wire, _, kill) => {
      const upstream = await proxyOf({}, wire === 'TLS' ? { tls: serverTls } : {})
      const outbound = outboundTo([upstream], wire === 'TLS' ? { settings: { version: 'auto' } } : {})
      const dialer = wire === 'TLS' ? dialerOf({ serverName: 'localhost' }) : dialerOf()
      const tunnels = await Promise.all(times(50, () => connect(outbound, dialer)))
      const closes = tunnels.map((tunnel) => {
        let count = 0
        tunnel.on('close', () => count++)
        return () => count
      })
      const cuts = tunnels.map((tunnel) => isCut(tunnel))
      for (const peer of upstream.peers) kill(peer)
      for (const { error } of await Promise.all(cuts)) expect(error?.message).not.toBe('')
      expect(closes.every((count) => count() === 1)).toBe(true)
      await connect(outbound, dialer)
    })

  it('cuts 200 tunnels within 100 ms', async () => {
    const upstream = await proxyOf()
    const outbound = outboundTo([upstream])
    const rounds: number[] = []
    // The best of some rounds: what another process takes from this one says nothing.
    for (let round = 0; round < 5; round++) {
      const tunnels = await Promise.all(times(200, () => connect(outbound)))
      const cuts = tunnels.map((tunnel) => isCut(tunnel))
      for (const peer of upstream.peers) peer.fin()
      rounds.push(Math.max(...(await Promise.all(cuts)).map(({ afterMs }) => afterMs)))
    }
    expect(Math.min(...rounds)).toBeLessThan(100)
  })

  it.each(WAYS)('C137 by %s cuts a tunnel that has ended its own side, too', async (_, kill) => {
    const upstream = await proxyOf({ onData: () => {} })
    const outbound = outboundTo([upstream])
    const tunnel = await connect(outbound)
    tunnel.end('all')
    await upstream.peers[0]?.expectEnd(1)
    let error: Error | undefined
    tunnel.on('error', (reason: Error) => { error = reason })
    tunnel.resume()
    const closed = closeOf(tunnel)
    kill(upstream.peers[0]!)
    await within(100, 'the tunnel to be cut', closed)
    expect(error).toBeInstanceOf(Error)
  })

  it.each(WAYS)('C137 by %s cuts a tunnel that nobody reads', async (_, kill) => {
    const upstream = await proxyOf({ onTunnel: (tunnel) => tunnel.send(pattern(1_000_000)) })
    const outbound = outboundTo([upstream])
    const tunnel = await connect(outbound)
    await until(() => tunnel.readableLength >= 500_000, 'bytes to wait')
    const closed = within(100, 'the tunnel to be cut', closeOf(tunnel))
    kill(upstream.peers[0]!)
    await closed
    expect(tunnel.errored).toBeInstanceOf(Error)
  })

  it('opens the first new tunnel within 500 ms of the return of the server', async () => {
    const connections = new Set<Connection>()
    const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
      connections.add(socket)
      void answerConnects(new RawHttp2Peer(socket))
    })
    afterTest(async () => {
      for (const socket of connections) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    })
    await once(server.listen(0, '127.0.0.1'), 'listening')
    const { port } = server.address() as AddressInfo
    const outbound = outboundTo([{ host: '127.0.0.1', port }], { policy: { handshakeMs: 2_000 } })
    const tunnels = await Promise.all(times(200, () => connect(outbound)))
    const cuts = tunnels.map((tunnel) => isCut(tunnel))
    server.close()
    for (const socket of connections) socket.destroy()
    await Promise.all(cuts)
    await Promise.all(times(3, () => failsWith('DIAL', connect(outbound))))
    await once(server.listen(port, '127.0.0.1'), 'listening')
    const startedAt = performance.now()
    await Promise.any(times(20, () => connect(outbound)))
    expect(performance.now() - startedAt).toBeLessThan(500)
  })
})

describe('GOAWAY', () => {
  it('C130 in two steps leaves live tunnels alone, takes new ones elsewhere, and the session closes when it is empty', async () => {
    const upstream = await proxyOf()
    const outbound = outboundTo([upstream])
    const tunnels = await Promise.all(times(20, () => connect(outbound)))
    const [first] = upstream.peers
    first?.goaway(2 ** 31 - 1)
    const others = await Promise.all(times(5, async () => {
      await new Promise(setImmediate)
      return connect(outbound)
    }))
    first?.goaway(39)
    others.push(...await Promise.all(times(5, () => connect(outbound))))
    expect(upstream.peers.map(({ requests }) => requests.length)).toEqual([20, 10])
    for (const tunnel of [...tunnels, ...others]) await echoes(tunnel, pattern(20_000))
    for (const tunnel of tunnels) {
      tunnel.end()
      tunnel.resume()
    }
    await within(1_000, 'the old session to close', first!.closed)
    for (const tunnel of others) await echoes(tunnel, pattern(1_000))
  })

  it('C130 with a last id makes requests above it anew, and nobody sees it', async () => {
    const upstream = await proxyOf((peer) => ({ status: () => (peer.index === 0 && peer.requests.length > 5 ? undefined : 200) }))
    const outbound = outboundTo([upstream])
    const tunnels = await Promise.all(times(5, () => connect(outbound)))
    const waiting = times(10, () => connect(outbound))
    const [first] = upstream.peers
    await until(() => first?.requests.length === 15, 'the requests')
    first?.goaway(9)
    await within(500, 'the tunnels', Promise.all(waiting))
    for (const tunnel of tunnels) await echoes(tunnel, pattern(1_000))
    expect(upstream.connections).toBe(2)
  })

  it('C130 between lease and request is no failure', async () => {
    const upstream = await proxyOf()
    const pool = poolTo(upstream)
    const tunnel = await openIn(pool)
    const [session] = pool.sessions
    const lease = await pool.lease({ signal: new AbortController().signal, onPhase: () => {} })
    upstream.peers[0]?.goaway(2 ** 31 - 1)
    await until(() => session?.state.kind === 'draining', 'GOAWAY')
    expect(lease).toEqual({ kind: 'session', session })
    expect(session?.request({ ':method': 'CONNECT', ':authority': 'a:1' })).toBeUndefined()
    expect(session?.streams).toBe(1)
    await echoes(tunnel, pattern(1_000))
  })

  it('C130 after each 20 tunnels, under load, is seen by nobody', async () => {
    const upstream = await upstreamOf((peer) => {
      peer.watch(({ type, streamId }) => {
        if (type !== FRAME.HEADERS || streamId !== 39) return
        peer.goaway(2 ** 31 - 1)
        setTimeout(() => peer.goaway(Math.max(...peer.requests.map((request) => request.streamId))), 5)
      })
      return answerConnects(peer)
    })
    const outbound = outboundTo([upstream])
    await Promise.all(times(200, async (index) => {
      await new Promise((resolve) => setTimeout(resolve, index))
      const tunnel = await connect(outbound)
      await echoes(tunnel, pattern(500))
      tunnel.destroy()
    }))
    expect(upstream.connections).toBeGreaterThan(2)
  })

  it('C132 with ENHANCE_YOUR_CALM is not dialled again at once', async () => {
    const upstream = await proxyOf()
    const pool = poolTo(upstream, { calmMs: 200 })
    const cut = isCut(await openIn(pool))
    upstream.peers[0]?.goaway(1, 11)
    await cut
    const startedAt = performance.now()
    await openIn(pool)
    expect(performance.now() - startedAt).toBeGreaterThan(150)
  })

  it('C132 with a code, on the first stream and always, is not repeated on and on', async () => {
    const upstream = await upstreamOf(async (peer) => {
      await peer.handshake({ maxConcurrentStreams: 100 })
      await peer.expectRequest()
      peer.goaway(1, 2)
      await peer.closed
    })
    await failsWith('CLOSED', connect(outboundTo([upstream])))
    expect(upstream.connections).toBe(5)
  })
})

describe('a silent server', () => {
  it('C133 is asked by PING after the silence, and its tunnels are cut when none comes', async () => {
    const upstream = await proxyOf()
    const pool = poolTo(upstream, FAST)
    const tunnel = await openIn(pool)
    const startedAt = performance.now()
    const cut = isCut(tunnel)
    upstream.peers[0]?.silence()
    const { error } = await cut
    expect(error?.message).toContain('is silent: no answer to PING within 50 ms')
    expect(performance.now() - startedAt).toBeGreaterThan(180)
    expect(performance.now() - startedAt).toBeLessThan(300)
    await within(100, 'a new tunnel', openIn(pool))
  })

  it('C133 that answers PING, however silent else, is left alone', async () => {
    const upstream = await proxyOf()
    const pool = poolTo(upstream, FAST)
    const tunnel = await openIn(pool)
    const pings = (): number => upstream.peers[0]?.frames.filter(({ type }) => type === FRAME.PING).length ?? 0
    await until(() => pings() >= 2, 'two PINGs')
    await echoes(tunnel, pattern(1_000))
  })

  it('is not asked while bytes come, nor without tunnels', async () => {
    const upstream = await proxyOf()
    const pool = poolTo(upstream, FAST)
    const tunnel = await openIn(pool)
    for (let count = 0; count < 6; count++) {
      await echoes(tunnel, pattern(10))
      await upstream.peers[0]?.wait(40)
    }
    tunnel.destroy()
    await upstream.peers[0]?.wait(200)
    expect(upstream.peers[0]?.frames.filter(({ type }) => type === FRAME.PING)).toHaveLength(0)
  })

  it('lives as long as any byte comes, even if its answer to a PING is late', async () => {
    const upstream = await upstreamOf((peer) => {
      const answered = answerConnects(peer)
      const write = peer.ping.bind(peer)
      peer.ping = () => {
        setTimeout(() => peer.windowUpdate(1, 1), 30)
        return true
      }
      void peer.wait(300).then(() => { peer.ping = write })
      return answered
    })
    const tunnel = await openIn(poolTo(upstream, FAST))
    await upstream.peers[0]?.wait(350)
    await echoes(tunnel, pattern(1_000))
  })

  it('gets no new tunnel, and one that waits is hedged onto another connection', async () => {
    const upstream = await proxyOf()
    const pool = poolTo(upstream, { ...FAST, silenceMs: 2_000 })
    const tunnel = await openIn(pool)
    upstream.peers[0]?.silence()
    // A CONNECT after a silence carries a PING: alone in the session, it is hedged for that alone.
    tunnel.destroy()
    await upstream.peers[0]?.wait(150)
    await within(500, 'a new tunnel', openIn(pool))
    const [silent] = pool.sessions
    expect(silent?.isSuspect).toBe(true)
    await Promise.all(times(10, () => openIn(pool)))
    expect(upstream.peers.map(({ requests }) => requests.length)).toEqual([1, 11])
  })

  it('keeps its tunnels as long as the whole silence and the limit of PING, though a CONNECT had it asked before', async () => {
    const upstream = await proxyOf()
    const pool = poolTo(upstream, { ...FAST, silenceMs: 400 })
    const tunnel = await openIn(pool)
    const startedAt = performance.now()
    upstream.peers[0]?.silence()
    await upstream.peers[0]?.wait(40)
    await openIn(pool)
    const cut = isCut(tunnel)
    await cut
    expect(performance.now() - startedAt).toBeGreaterThan(400)
    expect(upstream.connections).toBe(2)
  })

  it('that is found so after our own event loop stood still gets the time of a PING', async () => {
    const upstream = await proxyOf()
    const tunnel = await openIn(poolTo(upstream, FAST))
    const end = performance.now() + 250
    while (performance.now() < end);
    await echoes(tunnel, pattern(1_000))
    await upstream.peers[0]?.wait(100)
    await echoes(tunnel, pattern(1_000))
  })

  it('is left for another server within 1.5 s', async () => {
    const [silent, other] = await Promise.all(times(2, () => proxyOf()))
    const outbound = outboundTo([silent!, other!])
    await connect(outbound)
    await connect(outbound)
    silent!.peers[0]?.silence()
    await silent!.peers[0]?.wait(1_100)
    const startedAt = performance.now()
    await Promise.all(times(4, () => connect(outbound)))
    expect(performance.now() - startedAt).toBeLessThan(1_500)
    // One was open there before; half of the new ones asked it first, the others when the silent one owed an answer to PING.
    expect(other!.peers.flatMap(({ requests }) => requests).length).toBeGreaterThanOrEqual(4)
  })

  it('is found through a tunnel of another outbound, where sockets count no bytes', async () => {
    const upstream = await proxyOf()
    const { connectionPair } = await import('@sluice/transport')
    const plain = dialerOf()
    const pool = poolTo(upstream, FAST, {}, {
      dial: async (to, options) => {
        const [near, far] = connectionPair()
        const socket = await plain.dial(to, options)
        far.pipe(socket)
        socket.pipe(far)
        socket.once('close', () => far.destroy())
        return near
      },
    })
    const tunnel = await openIn(pool)
    for (let count = 0; count < 8; count++) {
      await echoes(tunnel, pattern(10))
      await upstream.peers[0]?.wait(40)
    }
    expect(upstream.peers[0]?.frames.filter(({ type }) => type === FRAME.PING)).toHaveLength(0)
    const cut = isCut(tunnel)
    upstream.peers[0]?.silence()
    await cut
  })
})
