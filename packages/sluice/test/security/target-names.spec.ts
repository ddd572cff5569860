import { isProxyError, tcp } from '@sluice/core'
import { connectProxy, connectTo, Peer, startTarget, testLink, type ConnectProxy } from '@sluice/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createInstance, modules, type Instance } from '../../src/index.js'

const HOSTILE = [
  'a\r\nX-Evil: 1', 'a\nb', 'a\rb', 'a\0b', 'a b', ' a', 'a\tb', 'a/b', 'a?b', 'a#b', 'a\\b', 'user@a', 'a:80', '[a', 'a]', '', 'a"b', 'a<b',
  'a%0d%0ab', 'a\u007fb', 'a\u0085b', 'a\u2028b', 'x'.repeat(256),
]

let upstream: ConnectProxy
let instance: Instance

beforeAll(async () => {
  upstream = await connectProxy()
  const servers = [{ address: upstream.host, port: upstream.port }]
  const inbounds = [{ protocol: 'socks', port: 0, tag: 'socks' }, { protocol: 'http', port: 0, tag: 'http' }] as const
  instance = createInstance({ inbounds, outbounds: [{ protocol: 'http', settings: { servers } }] }, { modules })
  await instance.start()
})

afterAll(async () => {
  await instance.stop({ drainMs: 0 })
  await upstream.close()
})

const portOf = (tag: string): number => instance.listening.find((where) => where.tag === tag)?.address.port ?? 0

describe('T4 the name of a target', () => {
  it.each(HOSTILE.map((host) => [host]))('that no host can have goes no further than the outbound: %j', async (host) => {
    const before = upstream.requests.length
    const link = await testLink()
    const error: unknown = await instance.dispatch({ target: tcp(host, 80) }, link).catch((reason: unknown) => reason)
    link.close()
    expect(isProxyError(error) && error.code).toBe('TARGET')
    expect(isProxyError(error) && error.message).not.toMatch(/[\r\n\0]/)
    expect(upstream.requests).toHaveLength(before)
  })

  it.each(HOSTILE.filter((host) => host.length > 0 && Buffer.byteLength(host) < 256).map((host) => [host]))(
    'that no host can have is refused over SOCKS5: %j', async (host) => {
      const before = upstream.requests.length
      const client = new Peer(await connectTo(portOf('socks')))
      const name = Buffer.from(host)
      await client.send(Buffer.concat([Buffer.from([5, 1, 0, 5, 1, 0, 3, name.length]), name, Buffer.from([0, 80])]))
      expect((await client.expectBytes(12))[3]).toBe(8)
      client.socket.destroy()
      expect(upstream.requests).toHaveLength(before)
    })

  it.each(['a@b:80', 'a b:80', 'a\tb:80', 'a/b:80', 'http://a:80', 'a:80:90', 'a:0', 'a:65536', ':80', 'a:80\rX: y'])(
    'that no host can have is refused in a CONNECT: %j', async (authority) => {
      const before = upstream.requests.length
      const client = new Peer(await connectTo(portOf('http')))
      await client.send(`CONNECT ${authority} HTTP/1.1\r\nHost: x\r\n\r\n`)
      expect(await client.expectHead()).toMatch(/^HTTP\/1\.1 400 /)
      client.socket.destroy()
      expect(upstream.requests).toHaveLength(before)
    })
})

describe('T11 the name of a target', () => {
  it('goes upstream as it is, and is resolved by nobody here', async () => {
    await using target = await startTarget('banner')
    const client = new Peer(await connectTo(portOf('socks')))
    const name = Buffer.from('no-such-host.invalid')
    await client.send(Buffer.concat([Buffer.from([5, 1, 0, 5, 1, 0, 3, name.length]), name, Buffer.from([target.port >> 8, target.port & 255])]))
    // The upstream for tests reaches any name on loopback: that it was asked by name is what counts.
    expect((await client.expectBytes(12))[3]).toBe(0)
    client.socket.destroy()
    expect(upstream.requests.at(-1)).toMatch(/^CONNECT no-such-host\.invalid:\d+ HTTP\/1\.1\r\nHost: no-such-host\.invalid:\d+\r\n/)
  })
})
