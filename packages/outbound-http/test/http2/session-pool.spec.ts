import { getEventListeners, once, setMaxListeners } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import { describe, expect, it } from 'vitest'
import { tcp, type Connection, type Dialer } from '@sluice/core'
import { answerConnects, pattern, type Http2Request, type RawHttp2Peer, type RawHttp2Upstream } from '@sluice/testkit'
import type { HttpOutbound } from '../../src/index.js'
import {
  afterTest, certificates, connect, CountingDialer, dialerOf, echoes, failsWith, isCut, openIn, outboundTo, poolTo, proxyOf, read,
  serverTls, times, until, upstreamOf, within,
} from './harness.js'

/** Requests that an upstream got, by connection. */
function requestsOf({ peers }: RawHttp2Upstream): number[] {
  return peers.map(({ requests }) => requests.length)
}

describe('SessionPool', () => {
  it('C117 lets 50 tunnels go on byte-exact while another one is refused with 407', async () => {
    const upstream = await proxyOf({
      status: ({ authority }) => (authority === 'refused.test:1' ? 407 : 200), fields: [['proxy-authenticate', 'Basic realm="x"']],
    })
    const outbound = outboundTo([upstream])
    const tunnels = await Promise.all(times(50, () => connect(outbound)))
    const bytes = pattern(200_000)
    const received = tunnels.map((tunnel) => read(tunnel, bytes.length))
    for (const tunnel of tunnels) tunnel.write(bytes.subarray(0, 100_000))
    const error = await failsWith('AUTH', connect(outbound, undefined, { target: tcp('refused.test', 1) }))
    expect(error).toMatchObject({ status: 407 })
    for (const tunnel of tunnels) tunnel.write(bytes.subarray(100_000))
    for (const each of await Promise.all(received)) expect(each.equals(bytes)).toBe(true)
    expect(requestsOf(upstream)).toEqual([51])
    expect(upstream.peers[0]?.openStreams).toHaveLength(50)
  })

  it('C060 keeps the status, and the time to come back, of a refusal that is reset behind it', async () => {
    const upstream = await upstreamOf(async (peer) => {
      await peer.handshake({ maxConcurrentStreams: 100 })
      const { streamId } = await peer.expectRequest()
      peer.headers(streamId, [[':status', '503'], ['retry-after', '2']])
      peer.data(streamId, 'why', { endStream: true })
      peer.rst(streamId, 8)
    })
    const error = await failsWith('STATUS', connect(outboundTo([upstream])))
    expect(error).toMatchObject({ status: 503, retryAfterMs: 2_000 })
  })

  it('C120 puts 5 tunnels on 5 connections where each takes 1 stream, and asks none for two', async () => {
    const upstream = await proxyOf({ settings: { maxConcurrentStreams: 1 } })
    const outbound = outboundTo([upstream])
    const tunnels = await Promise.all(times(5, () => connect(outbound)))
    expect(requestsOf(upstream)).toEqual([1, 1, 1, 1, 1])
    for (const tunnel of tunnels) await echoes(tunnel, pattern(1_000))
  })

  it('C120 lets tunnels wait for a slot where no more connections may be opened', async () => {
    const upstream = await proxyOf({ settings: { maxConcurrentStreams: 1 } })
    const outbound = outboundTo([upstream], { settings: { maxConnections: 2 } })
    const opened: Connection[] = []
    const opening = times(5, () => connect(outbound).then((tunnel) => opened.push(tunnel)))
    for (let count = 2; count <= 5; count++) {
      await until(() => opened.length >= Math.min(count, 5), `tunnel ${count}`)
      if (count < 5) opened[count - 2]?.destroy()
    }
    await Promise.all(opening)
    expect(upstream.connections).toBe(2)
    expect(upstream.peers.every(({ openStreams }) => openStreams.length <= 1)).toBe(true)
  })

  it('C122 waits while the server takes no streams, and opens when it does', async () => {
    const upstream = await upstreamOf(async (peer) => {
      const answered = answerConnects(peer, { settings: { maxConcurrentStreams: 0 } })
      await peer.wait(300)
      expect(peer.requests).toHaveLength(0)
      peer.settings({ maxConcurrentStreams: 10 })
      await answered
    })
    const outbound = outboundTo([upstream])
    const startedAt = performance.now()
    await Promise.all(times(10, () => connect(outbound)))
    expect(performance.now() - startedAt).toBeLessThan(600)
    expect(upstream.connections).toBe(1)
  })

  it('C122 fails with TIMEOUT, not by the fault of the dial, where the server goes on to take none', async () => {
    const upstream = await proxyOf({ settings: { maxConcurrentStreams: 0 } })
    const error = await failsWith('TIMEOUT', connect(outboundTo([upstream], { policy: { handshakeMs: 100 } })))
    expect(error).toMatchObject({ phase: 'connect' })
    expect(upstream.connections).toBe(1)
  })

  it('waits for late SETTINGS before the first request', async () => {
    const upstream = await upstreamOf(async (peer) => {
      await peer.wait(200)
      expect(peer.requests).toHaveLength(0)
      await answerConnects(peer, { settings: { maxConcurrentStreams: 2 } })
    })
    const outbound = outboundTo([upstream])
    await Promise.all(times(4, () => connect(outbound)))
    expect(requestsOf(upstream)).toEqual([2, 2])
  })

  it('gives up a connection whose SETTINGS never come, and refuses who waited for it', async () => {
    const upstream = await upstreamOf((peer) => (peer.index === 0 ? peer.closed : answerConnects(peer)))
    const pool = poolTo(upstream, { settleMs: 60 })
    const error = await failsWith('CLOSED', openIn(pool))
    expect(error.message).toContain('no SETTINGS within 60 ms')
    await openIn(pool)
    expect(upstream.peers[0]?.ending).toBeDefined()
  })

  it('C123 lets 50 tunnels live when the limit falls to 5, and opens no other there until fewer are open', async () => {
    const upstream = await proxyOf()
    const outbound = outboundTo([upstream])
    const tunnels = await Promise.all(times(50, () => connect(outbound)))
    const [first] = upstream.peers
    first?.settings({ maxConcurrentStreams: 5 })
    await first?.expectFrame('SETTINGS', ({ flags }) => flags === 1)
    await until(() => first?.frames.at(-1)?.type === 4, 'the acknowledgement')
    const others = await Promise.all(times(5, () => connect(outbound)))
    expect(requestsOf(upstream)).toEqual([50, 5])
    for (const tunnel of tunnels) await echoes(tunnel, pattern(1_000))
    for (const tunnel of [...tunnels.slice(4), ...others]) tunnel.destroy()
    await until(() => first?.openStreams.length === 4, 'the streams to close')
    await connect(outbound)
    await connect(outbound)
    expect(Math.max(...upstream.peers.map(({ openStreams }) => openStreams.length))).toBeLessThanOrEqual(5)
    expect(upstream.connections).toBe(2)
  })

  it.each(['TCP', 'TLS'])('C125 opens 200 tunnels in one tick on a cold pool over %s with at most 3 dials', async (over) => {
    const upstream = await proxyOf({ settings: { maxConcurrentStreams: 100 } }, over === 'TLS' ? { tls: serverTls } : {})
    const dialer = new CountingDialer(over === 'TLS' ? dialerOf({ serverName: 'localhost' }) : dialerOf())
    const outbound = outboundTo([upstream], over === 'TLS' ? { settings: { version: 'auto' } } : {})
    const tunnels = await Promise.all(times(200, () => connect(outbound, dialer)))
    expect(dialer.dials).toBeLessThanOrEqual(3)
    await Promise.all(tunnels.map((tunnel) => echoes(tunnel, pattern(1_000))))
    expect(upstream.peers.every(({ openStreams }) => openStreams.length <= 100)).toBe(true)
  })

  it('spreads tunnels over connections of 100, whatever more the server takes', async () => {
    const upstream = await proxyOf({ settings: {} })
    const outbound = outboundTo([upstream], { settings: { maxConnections: 2 } })
    await Promise.all(times(350, () => connect(outbound)))
    expect(upstream.connections).toBe(2)
    expect(requestsOf(upstream)).toEqual([175, 175])
  })

  it('C127 gives 50 waiting tunnels connections of their own at once when the server picks HTTP/1.1', async () => {
    const held: Connection[] = []
    const server = createServer({ allowHalfOpen: true }, (socket) => {
      socket.on('error', () => {}).once('data', () => socket.write('HTTP/1.1 200 OK\r\n\r\n'))
      held.push(socket)
    })
    await once(server.listen(0, '127.0.0.1'), 'listening')
    afterTest(() => {
      server.close()
      for (const socket of held) socket.destroy()
    })
    const { port } = server.address() as AddressInfo
    const dialer = new Http1Dialer()
    const outbound = outboundTo([{ host: '127.0.0.1', port }], { settings: { version: 'auto' } })
    const tunnels = times(50, () => connect(outbound, dialer))
    await until(() => dialer.dials === 1, 'the first dial')
    dialer.release()
    await Promise.all(tunnels)
    expect(dialer.dials).toBe(50)
    expect(dialer.atOnce).toBe(49)
  })

  it('C128 keeps outbounds with different users, servers names or dialers apart, and users of one outbound, too', async () => {
    const upstream = await proxyOf({}, { tls: await certificates.issue({ names: ['one.test', 'two.test'] }) })
    const at = { servers: [{ users: [{ user: 'a', pass: 'b' }] }], settings: { version: 'auto' } } as const
    const one = dialerOf({ serverName: 'one.test' })
    const outbound = outboundTo([upstream], at)
    await connect(outbound, one)
    await connect(outboundTo([upstream], { ...at, servers: [{ users: [{ user: 'c', pass: 'd' }] }] }), one)
    await connect(outboundTo([upstream], at), one)
    await connect(outbound, dialerOf({ serverName: 'two.test' }))
    expect(requestsOf(upstream)).toEqual([1, 1, 1, 1])
    await connect(outbound, one)
    expect(requestsOf(upstream)).toEqual([2, 1, 1, 1])
    const both = outboundTo([upstream], { ...at, servers: [{ users: [{ user: 'e', pass: 'f' }, { user: 'g', pass: 'h' }] }] })
    await Promise.all(times(40, () => connect(both, one)))
    const userOf = ({ fields }: Http2Request): string | undefined => fields.find(({ name }) => name === 'proxy-authorization')?.value
    for (const { requests } of upstream.peers) expect(new Set(requests.map(userOf)).size).toBe(1)
  })

  it('C129 closes an idle session, with GOAWAY, and leaves no socket', async () => {
    const upstream = await proxyOf()
    const pool = poolTo(upstream, { idleMs: 60 })
    const tunnel = await openIn(pool)
    await until(() => false, '', 100).catch(() => {})
    expect(upstream.peers[0]?.ending).toBeUndefined()
    tunnel.end()
    tunnel.resume()
    await until(() => pool.sessions.size === 0, 'the session to close')
    await upstream.peers[0]?.closed
    expect(upstream.peers[0]?.frames.at(-1)).toMatchObject({ type: 7 })
    await openIn(pool)
    expect(upstream.connections).toBe(2)
  })

  it('C129 leaves no socket where the server keeps its side open', async () => {
    const upstream = await upstreamOf((peer) => peer.handshake({ maxConcurrentStreams: 1 }))
    const dialer = new CountingDialer()
    const pool = poolTo(upstream, { idleMs: 30, lingerMs: 30 }, {}, dialer)
    const abort = new AbortController()
    const waiting = openIn(pool, { signal: abort.signal })
    await (await upstream.peer(0)).expectRequest()
    abort.abort(new Error('enough'))
    await expect(waiting).rejects.toBe(abort.signal.reason)
    await until(() => pool.sessions.size === 0, 'the session to close')
    await until(() => dialer.connections[0]?.destroyed === true, 'the socket to close')
    expect(upstream.peers[0]?.ending).toBe('the client ended the connection')
  })

  it('C139 carries 500 tunnels one after another in one session', async () => {
    const upstream = await proxyOf()
    const pool = poolTo(upstream)
    for (let count = 0; count < 500; count++) {
      const tunnel = await openIn(pool)
      tunnel.destroy()
    }
    expect(upstream.connections).toBe(1)
    expect(upstream.peers[0]?.requests.at(-1)?.streamId).toBe(999)
    await until(() => [...pool.sessions][0]?.streams === 0, 'the slots to be given back')
  })

  it('dials for nobody: cancelled tunnels leave no dial, no slot and no listener', async () => {
    const upstream = await proxyOf({ settings: { maxConcurrentStreams: 2 } })
    const dialer = new HeldDialer()
    const pool = poolTo(upstream, {}, {}, dialer)
    const cancel = new AbortController()
    const waiting = times(5, () => openIn(pool, { signal: cancel.signal }))
    await until(() => dialer.dials === 1, 'the dial')
    cancel.abort(new Error('enough'))
    for (const each of waiting) await expect(each).rejects.toBe(cancel.signal.reason)
    expect(dialer.aborted).toBe(1)
    expect(getEventListeners(cancel.signal, 'abort')).toHaveLength(0)
    // The next one, even of the same tick, has a dial of its own.
    const next = openIn(pool)
    await until(() => dialer.dials === 2, 'another dial')
    dialer.release()
    await next
    expect([...pool.sessions].map(({ streams }) => streams)).toEqual([1])
  })

  it('lets a cancelled request leave no stream and no slot', async () => {
    const upstream = await proxyOf({ status: ({ authority }) => (authority === 'slow.test:1' ? undefined : 200) })
    const pool = poolTo(upstream)
    const cancel = new AbortController()
    setMaxListeners(0, cancel.signal)
    const waiting = times(20, () => openIn(pool, { authority: 'slow.test:1', signal: cancel.signal }))
    await until(() => upstream.peers[0]?.requests.length === 20, 'the requests')
    cancel.abort(new Error('enough'))
    for (const each of waiting) await expect(each).rejects.toBe(cancel.signal.reason)
    await until(() => upstream.peers[0]?.openStreams.length === 0, 'the streams to be reset')
    expect([...pool.sessions].map(({ streams }) => streams)).toEqual([0])
    expect(getEventListeners(cancel.signal, 'abort')).toHaveLength(0)
  })

  it('refuses with what the dial failed of, all who waited for it', async () => {
    const upstream = await proxyOf()
    const outbound = outboundTo([{ host: '127.0.0.1', port: upstream.port }], { policy: { handshakeMs: 60 } })
    await upstream.close()
    const failures = await Promise.all(times(20, () => failsWith('DIAL', connect(outbound))))
    expect(failures).toHaveLength(20)
  })

  it('starts a fresh dial for those who still wait when one outlasted a whole handshake', async () => {
    const upstream = await proxyOf()
    const dialer = new HeldDialer()
    const outbound = outboundTo([upstream], { policy: { handshakeMs: 150 }, settings: { maxConnections: 1 } })
    const first = connect(outbound, dialer, { signal: AbortSignal.timeout(155) })
    await until(() => false, '', 75).catch(() => {})
    const second = connect(outbound, dialer)
    await expect(first).rejects.toThrow()
    await until(() => dialer.dials >= 2, 'a fresh dial')
    dialer.release()
    await second
    expect(dialer.aborted).toBeGreaterThanOrEqual(1)
  })

  it('belongs to nobody: the session outlives the client for whom it was dialled', async () => {
    const upstream = await proxyOf()
    const outer = await upstreamOf(relayingTo(upstream))
    const through = outboundTo([outer])
    const dialer: Dialer = {
      dial: (to, { signal }) => through.connect({
        id: 'chain', target: to, inboundTag: '', signal, record: { startedAt: 0, uplinkBytes: 0, downlinkBytes: 0, attempts: 0 },
      }, plain),
    }
    const outbound = outboundTo([upstream])
    const first = new AbortController()
    const tunnel = await connect(outbound, dialer, { signal: first.signal })
    const other = await connect(outbound, dialer)
    first.abort(new Error('gone'))
    tunnel.destroy()
    await echoes(other, pattern(200_000))
    await echoes(await connect(outbound, dialer), pattern(1_000))
    expect(upstream.connections).toBe(1)
    const cut = isCut(other)
    outer.peers[0]?.reset()
    await cut
  })

  it('refuses who waits or comes after it was closed, and dials no more', async () => {
    const upstream = await proxyOf({ settings: { maxConcurrentStreams: 1 } })
    const dialer = new CountingDialer()
    const pool = poolTo(upstream, {}, { maxConnections: 1 }, dialer)
    const tunnel = await openIn(pool)
    const cut = isCut(tunnel)
    const waiting = openIn(pool)
    pool.close()
    await failsWith('CLOSED', waiting)
    await cut
    await failsWith('CLOSED', openIn(pool))
    await within(500, 'the connection to end', upstream.peers[0]!.closed)
    expect(dialer.dials).toBe(1)
  })

  it('closes with its outbound', async () => {
    const upstream = await proxyOf()
    const outbound: HttpOutbound = outboundTo([upstream])
    await connect(outbound)
    outbound.close()
    await within(500, 'the connection to end', upstream.peers[0]!.closed)
  })
})

const plain = dialerOf()

/** Waits with each dial until it is released, unless it is aborted. */
class HeldDialer implements Dialer {
  dials = 0
  aborted = 0
  #release!: () => void
  readonly #released = new Promise<void>((resolve) => { this.#release = resolve })

  release(): void {
    this.#release()
  }

  async dial(...[to, options]: Parameters<Dialer['dial']>): Promise<Connection> {
    this.dials++
    const { signal } = options
    await Promise.race([this.#released, new Promise((_, reject) => {
      signal.addEventListener('abort', () => {
        this.aborted++
        reject(signal.reason as Error)
      })
    })])
    return plain.dial(to, options)
  }
}

/** Dials what says that it picked HTTP/1.1. */
class Http1Dialer extends HeldDialer {
  atOnce = 0
  #running = 0

  override async dial(...[to, options]: Parameters<Dialer['dial']>): Promise<Connection> {
    this.#running++
    this.atOnce = Math.max(this.atOnce, this.#running)
    const connection = await super.dial(to, options)
    this.#running--
    return Object.assign(connection, { alpnProtocol: 'http/1.1' })
  }
}

/** An HTTP/2 proxy that connects every tunnel to one upstream. */
function relayingTo({ destination }: RawHttp2Upstream) {
  return (peer: RawHttp2Peer): Promise<void> => {
    const sockets = new Map<number, Promise<Connection>>()
    return answerConnects(peer, {
      onTunnel: (tunnel) => {
        const dialling = plain.dial(destination, { signal: new AbortController().signal })
        sockets.set(tunnel.streamId, dialling)
        void dialling.then((socket) => {
          socket.on('data', (chunk: Buffer) => tunnel.send(chunk))
          socket.once('end', () => tunnel.send(Buffer.alloc(0), true))
          void peer.closed.then(() => socket.destroy())
        })
      },
      onData: (tunnel, bytes, isLast) => {
        void sockets.get(tunnel.streamId)?.then((socket) => {
          socket.write(bytes)
          if (isLast) socket.end()
        })
      },
    })
  }
}

