import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { connectTo, createCertificates, leakCounter, pattern, Peer, sha256, startTarget, until, type Certificates } from '@sluice/testkit'
import { createInstance, modules, type Config, type Instance } from '../src/index.js'

const BYTES = 10 * 1_048_576
const certificates: Certificates = await createCertificates()
const started: Instance[] = []

async function start(config: Config): Promise<Instance> {
  const instance = createInstance(config, { modules })
  started.push(instance)
  await instance.start()
  return instance
}

const portOf = (instance: Instance): number => instance.listening[0]?.address.port ?? 0

/** A hop of our own: an HTTP proxy, in clear or with TLS, that goes straight to its targets. */
async function hop(tls: boolean): Promise<number> {
  const { certPem, keyPem } = await certificates.issue()
  const lines = (pem: string): string[] => pem.trim().split('\n')
  const streamSettings = tls
    ? { streamSettings: { security: 'tls', tlsSettings: { certificates: [{ certificate: lines(certPem), key: lines(keyPem) }] } } } as const
    : {}
  return portOf(await start({ inbounds: [{ protocol: 'http', port: 0, ...streamSettings }], outbounds: [{ protocol: 'freedom' }] }))
}

/** A SOCKS inbound whose sessions go through three hops, the last of them with TLS inside the tunnel of the others. */
async function threeHops(): Promise<Instance> {
  const [near, middle, far] = [await hop(false), await hop(true), await hop(true)]
  const trust = { certificates: [{ usage: 'verify', certificate: certificates.ca.certPem.trim().split('\n') }] } as const
  const server = (port: number): { servers: [{ address: string, port: number }] } => ({ servers: [{ address: '127.0.0.1', port }] })
  return start({
    inbounds: [{ protocol: 'socks', port: 0 }],
    outbounds: [
      { tag: 'far', protocol: 'http', settings: server(far), streamSettings: { security: 'tls', tlsSettings: trust }, proxySettings: { tag: 'middle' } },
      { tag: 'middle', protocol: 'http', settings: server(middle), streamSettings: { security: 'tls', tlsSettings: trust }, proxySettings: { tag: 'near' } },
      { tag: 'near', protocol: 'http', settings: server(near) },
    ],
  })
}

async function open(instance: Instance, target: number): Promise<Peer> {
  const client = new Peer(await connectTo(portOf(instance)), { stepMs: 15_000 })
  await client.send(Buffer.from([5, 1, 0, 5, 1, 0, 1, 127, 0, 0, 1, target >> 8, target & 255]))
  expect((await client.expectBytes(12))[3]).toBe(0)
  return client
}

describe('three hops of our own in a row', () => {
  let leaks: ReturnType<typeof leakCounter>

  beforeEach(() => {
    leaks = leakCounter()
  })

  afterEach(async () => {
    for (const instance of started.splice(0).reverse()) await instance.stop({ drainMs: 0 })
    await leaks.expectNoLeaks(5_000)
  })

  it('carry 10 MiB each way unchanged', async () => {
    await using target = await startTarget('echo')
    const client = await open(await threeHops(), target.port)
    const payload = pattern(BYTES)
    const sent = client.send(payload).then(() => client.fin())
    const answer = await client.expectBytes(BYTES)
    await client.expectEnd()
    await sent
    expect(sha256(answer)).toBe(sha256(payload))
  }, 30_000)

  it('pass the client\'s end on and bring the late reply', async () => {
    await using target = await startTarget('late-reply', { lateMs: 300 })
    const client = await open(await threeHops(), target.port)
    await client.send('question')
    await client.fin()
    await client.expect(/^late 8 [0-9a-f]+\n?/)
    await client.expectEnd()
  })

  it('pass the target\'s end on, and what the client still sends', async () => {
    await using target = await startTarget('source', { bytes: 100_000 })
    const client = await open(await threeHops(), target.port)
    await client.expectBytes(100_000)
    await client.expectEnd()
    const rest = pattern(1_048_576)
    await client.send(rest)
    await client.fin()
    const seen = await target.connection(0)
    await until(() => seen.ended, 'the client\'s end')
    expect(seen.receivedSha256).toBe(sha256(rest))
  })

  it('pass a reset of the client on', async () => {
    await using target = await startTarget('silent')
    const client = await open(await threeHops(), target.port)
    await client.send('x')
    await until(() => (target.connections[0]?.receivedBytes ?? 0) === 1, 'the byte')
    await client.reset()
    await until(() => target.connections[0]?.socket.errored !== null, 'the reset')
  })

  it('pass a reset of the target on', async () => {
    await using target = await startTarget('reset')
    const client = await open(await threeHops(), target.port)
    await client.send('x')
    await until(() => client.resetByPeer || client.ended, 'the reset')
    expect(client.resetByPeer).toBe(true)
  })
})

describe('a chain', () => {
  it('fails closed: what the first hop refuses is never dialled straight', async () => {
    await using target = await startTarget('echo')
    const instance = await start({
      inbounds: [{ protocol: 'socks', port: 0 }],
      outbounds: [
        { tag: 'far', protocol: 'http', settings: { servers: [{ address: '127.0.0.1', port: target.port }] }, proxySettings: { tag: 'no' } },
        { tag: 'no', protocol: 'blackhole' },
      ],
    })
    const client = new Peer(await connectTo(portOf(instance)))
    await client.send(Buffer.from([5, 1, 0, 5, 1, 0, 1, 127, 0, 0, 1, target.port >> 8, target.port & 255]))
    expect((await client.expectBytes(12))[3]).toBe(2)
    expect(target.connections).toHaveLength(0)
    client.socket.destroy()
    await instance.stop({ drainMs: 0 })
    started.length = 0
  })

  it('is refused where it goes round in a circle or through nobody', () => {
    const through = (tag: string, next: string) => ({ tag, protocol: 'freedom', proxySettings: { tag: next } }) as const
    expect(() => createInstance({ outbounds: [through('a', 'b'), through('b', 'a')] }, { modules })).toThrow(/circle: a → b → a/)
    expect(() => createInstance({ outbounds: [through('a', 'c')] }, { modules })).toThrow(/no outbound has the tag "c"/)
  })
})
