import { once } from 'node:events'
import { connect as connectHttp2, createServer as createHttp2Server } from 'node:http2'
import type { AddressInfo } from 'node:net'
import { describe, expect, it } from 'vitest'
import {
  InstanceEvents, tcp, type Connection, type Counter, type Dialer, type DialerSpec, type OutboundHandler, type PolicyManager, type StatsManager,
  type SystemPolicy,
} from '@sluice/core'
import { connectTo, createCertificates, scriptedUpstream, startTarget, testPolicies, until } from '@sluice/testkit'
import { abort } from '../src/abort.js'
import { connectionPair } from '../src/connection-pair.js'
import { SocketDialerFactory } from '../src/socket-dialer-factory.js'
import { StatCounterConnection } from '../src/stat-counter-connection.js'
import { TcpDialer } from '../src/tcp-dialer.js'

const never = new AbortController().signal
const certificates = await createCertificates()
const UPLINK = 'outbound>>>proxy>>>traffic>>>uplink'
const DOWNLINK = 'outbound>>>proxy>>>traffic>>>downlink'

/** A counter with sources, as the contract says. */
class LiveCounter implements Counter {
  readonly sources = new Set<() => number>()
  #sum = 0

  get value(): number {
    return [...this.sources].reduce((sum, read) => sum + read(), this.#sum)
  }

  add(bytes: number): void {
    this.#sum += bytes
  }

  attach(read: () => number): () => void {
    this.sources.add(read)
    return () => {
      if (this.sources.delete(read)) this.#sum += read()
    }
  }
}

class Stats implements StatsManager {
  readonly counters = new Map<string, LiveCounter>()

  counter(name: string): LiveCounter {
    const counter = this.counters.get(name) ?? new LiveCounter()
    this.counters.set(name, counter)
    return counter
  }

  snapshot(): ReadonlyMap<string, number> {
    return new Map([...this.counters].map(([name, { value }]) => [name, value]))
  }
}

function policies(system: Partial<SystemPolicy>): PolicyManager {
  const others = testPolicies()
  return { ...others, system: { ...others.system, ...system } }
}

function setUp(spec: Partial<DialerSpec> = {}, system: Partial<SystemPolicy> = { statsOutboundUplink: true, statsOutboundDownlink: true }): { stats: Stats, dialer: Dialer } {
  const stats = new Stats()
  const factory = new SocketDialerFactory(new InstanceEvents(), policies(system), stats, [])
  return { stats, dialer: factory.create({ tag: 'proxy', stream: {}, ...spec }) }
}

/** Writes that many bytes and reads as many. @param pending What was written before and comes back as well. */
async function exchange(connection: Connection, bytes: number, pending = 0): Promise<void> {
  let left = bytes + pending
  const done = new Promise<void>((resolve) => {
    connection.on('data', (chunk: Buffer) => {
      left -= chunk.length
      if (left === 0) resolve()
    })
  })
  connection.write(Buffer.alloc(bytes))
  await done
  connection.removeAllListeners('data')
}

describe('StatCounterConnection', () => {
  it('counts what the socket carries while it is open, and keeps the figures when it is closed', async () => {
    await using target = await startTarget('banner', { banner: 'welcome' })
    const { stats, dialer } = setUp()
    const connection = await dialer.dial(target.destination, { signal: never })
    await once(connection, 'data')
    await exchange(connection, 100_000)
    expect(stats.snapshot()).toEqual(new Map([[UPLINK, 100_000], [DOWNLINK, 100_007]]))
    connection.end()
    await once(connection.resume(), 'close')
    expect(stats.snapshot()).toEqual(new Map([[UPLINK, 100_000], [DOWNLINK, 100_007]]))
    expect([...stats.counters.values()].map(({ sources }) => sources.size)).toEqual([0, 0])
  })

  it('counts the plain text over TLS', async () => {
    await using target = await startTarget('echo', { tls: await certificates.issue() })
    const { stats, dialer } = setUp({ stream: { security: 'tls', tlsSettings: { allowInsecure: true } } })
    const connection = await dialer.dial(target.destination, { signal: never })
    await exchange(connection, 50_000)
    connection.destroy()
    await once(connection, 'close')
    expect(stats.snapshot()).toEqual(new Map([[UPLINK, 50_000], [DOWNLINK, 50_000]]))
  })

  it('counts all connections of a tag together, and those that were cut', async () => {
    await using target = await startTarget('echo')
    const { stats, dialer } = setUp()
    const connections = await Promise.all([1, 2, 3].map(() => dialer.dial(target.destination, { signal: never })))
    await Promise.all(connections.map((connection) => exchange(connection, 1_000)))
    for (const connection of connections) abort(connection, new Error('cut'))
    await until(() => stats.counter(UPLINK).sources.size === 0, 'all to be closed')
    expect(stats.snapshot()).toEqual(new Map([[UPLINK, 3_000], [DOWNLINK, 3_000]]))
  })

  it('hands the connection on as it is, with one listener more', async () => {
    await using target = await startTarget('echo')
    const plain = await new TcpDialer().dial(target.destination, { signal: never })
    const counted = await setUp().dialer.dial(target.destination, { signal: never })
    expect(Object.getPrototypeOf(counted)).toBe(Object.getPrototypeOf(plain))
    expect(counted.eventNames().filter((name) => !plain.eventNames().includes(name))).toEqual(['close'])
    expect(Object.keys(counted).filter((key) => typeof Reflect.get(counted, key) === 'function')).toEqual([])
    plain.destroy()
    counted.destroy()
  })

  it.each([
    { title: 'no tag', spec: { tag: '' }, system: { statsOutboundUplink: true, statsOutboundDownlink: true }, names: [] },
    { title: 'a policy that counts nothing', spec: {}, system: {}, names: [] },
    { title: 'a policy that counts uplink', spec: {}, system: { statsOutboundUplink: true }, names: [UPLINK] },
    { title: 'a policy that counts downlink', spec: {}, system: { statsOutboundDownlink: true }, names: [DOWNLINK] },
  ])('keeps only the counters that are wanted with $title', async ({ spec, system, names }) => {
    await using target = await startTarget('echo')
    const { stats, dialer } = setUp(spec, system)
    const connection = await dialer.dial(target.destination, { signal: never })
    await exchange(connection, 10)
    connection.destroy()
    expect([...stats.counters.keys()]).toEqual(names)
  })

  it('counts in a chain what goes through the tunnel, without the way to it', async () => {
    await using proxy = await scriptedUpstream(async (peer) => {
      await peer.expect('open')
      await peer.send('opened early')
      await peer.expect('payload')
    })
    const inner: OutboundHandler = {
      tag: 'inner',
      protocol: 'test',
      process: () => Promise.reject(new Error('not to be called')),
      async connect() {
        const socket = await connectTo(proxy.port)
        socket.write('open')
        const [answer] = await once(socket, 'data') as [Buffer]
        socket.pause()
        socket.unshift(answer.subarray('opened'.length))
        return socket
      },
    }
    const { stats, dialer } = setUp({ through: () => inner })
    const connection = await dialer.dial(tcp('127.0.0.1', 9), { signal: never })
    connection.write('payload')
    const [early] = await once(connection.resume(), 'data') as [Buffer]
    expect(String(early)).toBe(' early')
    expect(stats.snapshot()).toEqual(new Map([[UPLINK, 'payload'.length], [DOWNLINK, ' early'.length]]))
    connection.destroy()
    await proxy.close()
  })

  it('counts one end of a connection pair', async () => {
    const [ours, theirs] = connectionPair()
    const [uplink, downlink] = [new LiveCounter(), new LiveCounter()]
    theirs.write('early')
    void new StatCounterConnection(ours, { uplink, downlink })
    ours.write('request')
    theirs.end(' and late')
    expect(String((await once(theirs, 'data'))[0])).toBe('request')
    ours.end('!')
    await once(ours.resume(), 'close')
    expect([uplink.value, downlink.value]).toEqual(['request!'.length, 'early and late'.length])
    expect(uplink.sources.size).toBe(0)
  })

  it('counts a stream of an HTTP/2 connection', async () => {
    const proxy = createHttp2Server().on('stream', (stream) => {
      stream.respond({ ':status': 200 })
      stream.pipe(stream)
    })
    await once(proxy.listen(0, '127.0.0.1'), 'listening')
    const session = connectHttp2(`http://127.0.0.1:${(proxy.address() as AddressInfo).port}`)
    const stream = session.request({ ':method': 'CONNECT', ':authority': 'site.test:443' })
    await once(stream, 'response')
    const [uplink, downlink] = [new LiveCounter(), new LiveCounter()]
    void new StatCounterConnection(stream, { uplink, downlink })
    stream.cork()
    stream.write('a')
    stream.write('bc')
    stream.uncork()
    await exchange(stream, 100_000, 3)
    stream.end()
    await once(stream.resume(), 'close')
    expect([uplink.value, downlink.value]).toEqual([100_003, 100_003])
    session.close()
    proxy.close()
  })
})
