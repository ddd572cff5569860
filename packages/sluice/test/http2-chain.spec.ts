import { createHash } from 'node:crypto'
import {
  closedPort, connectProxy, connectTo, createCertificates, lateReply, leakCounter, pattern, Peer, sha256, startTarget, until,
} from '@sluice/testkit'
import { describe, expect, it } from 'vitest'
import type { OutboundConfig } from '@sluice/core'
import { createInstance, modules, type Config, type Instance } from '../src/index.js'

const certificates = await createCertificates()
const { certPem, keyPem } = await certificates.issue()
const ACCOUNT = { user: 'me', pass: 'secret' }
const MIB = 1_048_576

/** Two instances, the first of which goes through the second over TLS. */
interface Chain extends AsyncDisposable {
  readonly local: Instance
  readonly upstream: Instance
  /** Connections to the upstream that carried a session so far. */
  readonly connections: ReadonlySet<number>
  /** Asks for that port of 127.0.0.1, and returns with the head of the answer. */
  ask(port: number): Promise<{ client: Peer, head: string }>
  /** A client whose tunnel is open. */
  open(port: number): Promise<Peer>
}

interface ChainOptions {
  /** What the first sends to the second. */
  readonly pass?: string
  /** What the second agrees on. */
  readonly alpn?: string
  /** The way on from the second. @default straight to the target */
  readonly onward?: OutboundConfig
}

async function startChain({ pass = ACCOUNT.pass, alpn, onward = { protocol: 'freedom' } }: ChainOptions = {}): Promise<Chain> {
  const own = [{ certificate: certPem.split('\n'), key: keyPem.split('\n') }]
  const upstream = await started({
    inbounds: [{
      protocol: 'http', port: 0, settings: { accounts: [ACCOUNT] },
      streamSettings: { security: 'tls', tlsSettings: { certificates: own, ...(alpn === undefined ? {} : { alpn }) } },
    }],
    outbounds: [onward],
  })
  const connections = new Set<number>()
  upstream.events.on('session:open', ({ source }) => connections.add(source?.port ?? 0))
  const ca = [{ usage: 'verify', certificate: certificates.ca.certPem.split('\n') }] as const
  const local = await started({
    inbounds: [{ protocol: 'http', port: 0 }],
    outbounds: [{
      protocol: 'http', settings: { servers: [{ address: 'localhost', port: portOf(upstream), users: [{ user: ACCOUNT.user, pass }] }] },
      streamSettings: { security: 'tls', tlsSettings: { disableSystemRoot: true, certificates: ca } },
    }],
  })
  const clients = new Set<Peer>()
  const ask = async (port: number): Promise<{ client: Peer, head: string }> => {
    const client = new Peer(await connectTo(portOf(local)), { stepMs: 12_000 })
    clients.add(client)
    await client.send(`CONNECT 127.0.0.1:${port} HTTP/1.1\r\nHost: a\r\n\r\n`)
    return { client, head: await client.expectHead() }
  }
  return {
    local, upstream, connections, ask,
    async open(port) {
      const { client, head } = await ask(port)
      expect(head).toMatch(/^HTTP\/1.1 200 /)
      return client
    },
    async [Symbol.asyncDispose]() {
      for (const { socket } of clients) socket.destroy()
      await local.stop({ drainMs: 0 })
      await upstream.stop({ drainMs: 0 })
    },
  }
}

async function started(config: Config): Promise<Instance> {
  const instance = createInstance(config, { modules })
  await instance.start()
  return instance
}

function portOf({ listening }: Instance): number {
  return listening[0]?.address.port ?? 0
}

describe('Two instances chained over TLS', () => {
  it('carry sessions one after another over one connection of HTTP/2', async () => {
    await using target = await startTarget('banner')
    await using chain = await startChain()
    for (let round = 0; round < 5; round++) {
      const client = await chain.open(target.port)
      await client.expect('SSH-2.0-test\r\n')
      await client.send('hello')
      await client.expect('hello')
      await client.fin()
      await client.expectEnd()
    }
    expect(chain.connections.size).toBe(1)
  })

  it('C075 carry each session over a connection of its own where the upstream agrees on HTTP/1.1 only', async () => {
    await using target = await startTarget('echo')
    await using chain = await startChain({ alpn: 'http/1.1' })
    for (const text of ['one', 'two']) {
      const client = await chain.open(target.port)
      await client.send(text)
      await client.expect(text)
    }
    expect(chain.connections.size).toBe(2)
  })

  it('C153 carry 200 sessions at once over few connections, byte by byte', async () => {
    await using target = await startTarget('echo')
    await using chain = await startChain()
    await Promise.all(Array.from({ length: 200 }, async (_, index) => {
      const client = await chain.open(target.port)
      const bytes = pattern(20_000, index * 1_000)
      await client.send(bytes, { chunk: 3_000 + index })
      expect((await client.expectBytes(bytes.length)).equals(bytes)).toBe(true)
      await client.fin()
      await client.expectEnd()
    }))
    expect(chain.connections.size).toBeLessThanOrEqual(3)
    expect(chain.upstream.connections()).toHaveLength(0)
  })

  it('C032 carry 16 MiB down and up unchanged', async () => {
    await using source = await startTarget('source', { bytes: 16 * MIB })
    await using sink = await startTarget('late-reply')
    await using chain = await startChain()
    const down = await chain.open(source.port)
    expect(sha256(await down.expectBytes(16 * MIB))).toBe(sha256(pattern(16 * MIB)))
    await down.expectEnd()
    const up = await chain.open(sink.port)
    await up.send(pattern(16 * MIB), { chunk: 300_000 })
    await up.fin()
    await up.expect(lateReply(16 * MIB, createHash('sha256').update(pattern(16 * MIB)).digest('hex')))
    await up.expectEnd()
  })

  it('C140 pass the client\'s end on, and deliver the late reply', async () => {
    await using target = await startTarget('late-reply', { lateMs: 50 })
    await using chain = await startChain()
    const client = await chain.open(target.port)
    await client.send('question')
    await client.fin()
    await client.expect(lateReply(8, createHash('sha256').update('question').digest('hex')))
    await client.expectEnd()
  })

  it('C142 pass the target\'s end on, and what the client still sends', async () => {
    await using target = await startTarget('source', { bytes: MIB })
    await using chain = await startChain()
    const client = await chain.open(target.port)
    await client.expectBytes(MIB)
    await client.expectEnd()
    await client.send(pattern(MIB))
    await client.fin()
    const connection = await target.connection(0)
    await until(() => connection.ended, 'the client\'s end')
    expect(connection.receivedSha256).toBe(createHash('sha256').update(pattern(MIB)).digest('hex'))
  })

  it('C147 pass the target\'s reset on as a reset', async () => {
    await using target = await startTarget('reset')
    await using chain = await startChain()
    const client = await chain.open(target.port)
    await client.send('x')
    await client.expectReset()
  })

  it('C148 pass the client\'s reset on as a reset, and the connection lives', async () => {
    await using target = await startTarget('echo')
    await using chain = await startChain()
    const [cut, other] = [await chain.open(target.port), await chain.open(target.port)]
    await cut.send('x')
    await cut.expect('x')
    await cut.reset()
    const connection = await target.connection(0)
    await until(() => connection.closed, 'the connection to the target to be gone')
    expect(connection.resetByPeer).toBe(true)
    await other.send('unharmed')
    await other.expect('unharmed')
    expect(chain.connections.size).toBe(1)
  })

  it('C148 cancel what the upstream still dials when the client leaves', async () => {
    await using silent = await connectProxy({ behaviour: 'stall' })
    const servers = [{ address: silent.host, port: silent.port }]
    await using chain = await startChain({ onward: { protocol: 'http', settings: { servers } } })
    const client = new Peer(await connectTo(portOf(chain.local)))
    await client.send('CONNECT target.test:9 HTTP/1.1\r\nHost: a\r\n\r\n')
    await until(() => chain.upstream.connections().length === 1, 'the session to reach the upstream')
    await client.reset()
    await until(() => chain.upstream.connections().length === 0, 'the session to be cancelled there')
  })

  it('C180 tell the client why the upstream could not reach the target', async () => {
    await using chain = await startChain()
    const port = await closedPort()
    const { client, head } = await chain.ask(port)
    expect(head).toMatch(/^HTTP\/1.1 502 /)
    await client.expect(/STATUS: .*502/)
  })

  it('C051 tell the client that the upstream takes no such password', async () => {
    await using chain = await startChain({ pass: 'wrong' })
    const { client, head } = await chain.ask(9)
    expect(head).toMatch(/^HTTP\/1.1 502 /)
    await client.expect(/AUTH: .*407/)
    expect(chain.connections.size).toBe(0)
  })

  it('C130 let tunnels go on and end when the upstream stops', async () => {
    await using target = await startTarget('echo')
    await using chain = await startChain()
    const [client, other] = [await chain.open(target.port), await chain.open(target.port)]
    const stopped = chain.upstream.stop()
    await client.send('still here')
    await client.expect('still here')
    await client.fin()
    await client.expectEnd()
    await other.reset()
    expect(await stopped).toEqual({ cut: 0 })
  })

  it('leave nothing behind', async () => {
    const counter = leakCounter()
    {
      await using target = await startTarget('echo')
      await using chain = await startChain()
      const client = await chain.open(target.port)
      await client.send('x')
      await client.expect('x')
      // Idle, the connection between them would stay for a minute.
      await chain.local.stop({ drainMs: 0 })
      await chain.upstream.stop()
    }
    await counter.expectNoLeaks()
  })
})
