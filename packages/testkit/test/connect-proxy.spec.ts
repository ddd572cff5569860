import { once } from 'node:events'
import { describe, expect, it } from 'vitest'
import {
  closedPort, connectProxy, connectTlsTo, connectTo, createCertificates, leakCounter, Peer, startTarget, until,
  type ConnectProxy, type ConnectProxyOptions, type Target, type TargetKind,
} from '../src/index.js'

interface Tunnel {
  readonly proxy: ConnectProxy
  readonly target: Target
  readonly client: Peer
}

async function tunnel(kind: TargetKind, options?: ConnectProxyOptions, fields = ''): Promise<Tunnel> {
  const target = await startTarget(kind)
  const proxy = await connectProxy(options)
  const client = new Peer(await connectTo(proxy.port))
  await client.send(`CONNECT 127.0.0.1:${target.port} HTTP/1.1\r\nHost: x\r\n${fields}\r\n`)
  return { proxy, target, client }
}

describe('connectProxy()', () => {
  it('opens a tunnel that passes half-closes on', async () => {
    const { proxy, target, client } = await tunnel('late-reply')
    expect(await client.expectHead()).toMatch(/^HTTP\/1\.1 200 /)
    await client.send('hello')
    await client.fin()
    await client.expect(/^late 5 [0-9a-f]{64}$/)
    await client.expectEnd()
    expect(proxy.requests).toEqual([`CONNECT 127.0.0.1:${target.port} HTTP/1.1\r\nHost: x\r\n\r\n`])
    await proxy.close()
    await target.close()
  })

  it('keeps what the client sent behind its request', async () => {
    const { proxy, target, client } = await tunnel('echo', {}, '')
    await client.send('early')
    await client.expectHead()
    expect(String(await client.expect('early'))).toBe('early')
    await proxy.close()
    await target.close()
  })

  it('glues the first bytes of the target to its answer', async () => {
    const { proxy, target, client } = await tunnel('banner', { behaviour: 'glue' })
    const [chunk] = await once(client.socket, 'data') as [Buffer]
    expect(chunk.toString()).toMatch(/^HTTP\/1\.1 200 .*\r\n\r\nSSH-2\.0-test\r\n$/s)
    await client.expectHead()
    await client.expect('SSH-2.0-test\r\n')
    await client.send('x')
    await client.expect('x')
    await proxy.close()
    await target.close()
  })

  it('passes resets on, both ways', async () => {
    const down = await tunnel('reset')
    await down.client.expectHead()
    await down.client.send('x')
    await down.client.expectReset()
    const up = await tunnel('silent')
    await up.client.expectHead()
    await up.client.reset()
    const seen = await up.target.connection(0)
    await until(() => seen.closed, 'the target to close')
    expect(seen.resetByPeer).toBe(true)
    for (const { proxy, target } of [down, up]) {
      await proxy.close()
      await target.close()
    }
  })

  it.each<[string, ConnectProxyOptions, string, RegExp]>([
    ['refuses as it is told', { behaviour: 'refuse', status: 429 }, '', /^HTTP\/1\.1 429 /],
    ['asks for credentials', { auth: { user: 'u', pass: 'p' } }, '', /^HTTP\/1\.1 407 .*Proxy-Authenticate: Basic/s],
    ['refuses wrong credentials', { auth: { user: 'u', pass: 'p' } }, 'Proxy-Authorization: Basic dTpx\r\n', /^HTTP\/1\.1 407 /],
    ['takes the right ones', { auth: { user: 'u', pass: 'p' } }, 'Proxy-Authorization: basic dTpw\r\n', /^HTTP\/1\.1 200 /],
  ])('%s', async (_, options, fields, answer) => {
    const { proxy, target, client } = await tunnel('echo', options, fields)
    expect(await client.expectHead()).toMatch(answer)
    await proxy.close()
    await target.close()
  })

  it('stalls', async () => {
    const { proxy, target, client } = await tunnel('echo', { behaviour: 'stall' })
    await client.expectSilence(30)
    expect(target.connections.length).toBe(0)
    await proxy.close()
    await target.close()
  })

  it.each([
    ['CONNECT 127.0.0.1:PORT HTTP/1.1\r\n\r\n', 502],
    ['GET / HTTP/1.1\r\n\r\n', 400],
  ])('answers %j with %i', async (request, status) => {
    await using proxy = await connectProxy()
    const client = new Peer(await connectTo(proxy.port))
    await client.send(request.replace('PORT', String(await closedPort())))
    expect(await client.expectHead()).toContain(`HTTP/1.1 ${status} `)
    await client.expect('refused')
    await client.expectEnd()
    await client.fin()
  })

  it('speaks TLS, and leaves nothing', async () => {
    const certificates = await createCertificates()
    const counter = leakCounter()
    const target = await startTarget('echo')
    const proxy = await connectProxy({ tls: await certificates.issue() })
    const client = new Peer(await connectTlsTo(proxy.port, certificates))
    await client.send(`CONNECT 127.0.0.1:${target.port} HTTP/1.1\r\n\r\n`)
    expect(await client.expectHead()).toMatch(/^HTTP\/1\.1 200 /)
    await client.send('x')
    await client.expect('x')
    await client.reset()
    await proxy.close()
    await target.close()
    await expect(counter.expectNoLeaks()).resolves.toBeUndefined()
  })
})
