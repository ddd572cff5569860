import type { Socket } from 'node:net'
import { leakCounter, connectProxy, connectTo, Peer, startTarget } from '@sluice/testkit'
import { describe, expect, it } from 'vitest'
import { startProxy, type ProxyRequest, type StartedProxy } from '../src/index.js'

async function ask({ port }: StartedProxy, target: string): Promise<{ head: string, client: Peer }> {
  const client = new Peer(await connectTo(port))
  await client.send(`CONNECT ${target} HTTP/1.1\r\nHost: a\r\n\r\n`)
  return { head: await client.expectHead(), client }
}

describe('startProxy()', () => {
  it('stands before an upstream with a password, without one of its own, and leaves nothing behind', async () => {
    const leaks = leakCounter()
    {
      await using target = await startTarget('banner')
      await using upstream = await connectProxy({ auth: { user: 'u', pass: 'p' } })
      await using proxy = await startProxy({ upstream: `http://u:p@127.0.0.1:${upstream.port}` })
      expect(proxy.url).toBe(`http://127.0.0.1:${proxy.port}`)
      const { head, client } = await ask(proxy, `127.0.0.1:${target.port}`)
      expect(head).toMatch(/^HTTP\/1.1 200 /)
      await client.expect('SSH-2.0-test')
      client.socket.destroy()
    }
    await leaks.expectNoLeaks()
  })

  it('listens where it is told, and goes straight to targets without an upstream', async () => {
    await using target = await startTarget('banner')
    await using proxy = await startProxy({ listen: 'http://me:secret@127.0.0.1:0' })
    expect((await ask(proxy, `127.0.0.1:${target.port}`)).head).toMatch(/^HTTP\/1.1 407 /)
    await using socks = await startProxy({ listen: 'socks://:0' })
    expect(socks.url).toBe(`socks5://127.0.0.1:${socks.port}`)
  })

  it('stops at once when its signal aborts', async () => {
    await using target = await startTarget('echo')
    const controller = new AbortController()
    await using proxy = await startProxy({ signal: controller.signal })
    const { client } = await ask(proxy, `127.0.0.1:${target.port}`)
    controller.abort()
    await client.expectReset()
    await expect(connectTo(proxy.port)).rejects.toThrow()
    await expect(startProxy({ signal: controller.signal })).rejects.toBe(controller.signal.reason)
  })
})

describe('onRequest', () => {
  it('is told of the session, and leaves it to the rules', async () => {
    await using target = await startTarget('banner')
    const seen: ProxyRequest[] = []
    await using proxy = await startProxy({ onRequest: (request) => { seen.push(request); return 'allow' } })
    const { head, client } = await ask(proxy, `127.0.0.1:${target.port}`)
    expect(head).toMatch(/^HTTP\/1.1 200 /)
    expect(seen).toEqual([{
      host: '127.0.0.1', port: target.port, inbound: 'local', source: { host: '127.0.0.1', port: (client.socket as Socket).localPort },
    }])
    client.socket.destroy()
  })

  it('refuses with a reason that the client is told', async () => {
    await using proxy = await startProxy({ onRequest: ({ host }) => Promise.resolve({ refuse: `${host} is not on the list` }) })
    const { head, client } = await ask(proxy, 'evil.test:443')
    expect(head).toMatch(/^HTTP\/1.1 403 /)
    await client.expect(/BLOCKED: Target evil\.test:443 is refused: evil\.test is not on the list/)
  })

  it('sends a session to an upstream of its own, made once', async () => {
    await using target = await startTarget('banner')
    await using one = await connectProxy()
    await using other = await connectProxy()
    let turn = 0
    await using proxy = await startProxy({ onRequest: () => ({ upstream: `http://127.0.0.1:${(turn++ % 2 === 0 ? one : other).port}` }) })
    for (let round = 0; round < 4; round++) {
      const { client } = await ask(proxy, `127.0.0.1:${target.port}`)
      await client.expect('SSH-2.0-test')
      client.socket.destroy()
    }
    expect([one.requests.length, other.requests.length]).toEqual([2, 2])
  })

  it('names an outbound by its tag', async () => {
    await using upstream = await connectProxy({ behaviour: 'refuse', status: 451 })
    await using proxy = await startProxy({ upstream: `http://127.0.0.1:${upstream.port}`, onRequest: () => ({ outbound: 'hop1' }) })
    expect((await ask(proxy, 'a.test:80')).head).toMatch(/^HTTP\/1.1 502 /)
    await using lost = await startProxy({ onRequest: () => ({ outbound: 'nowhere' }) })
    expect((await ask(lost, 'a.test:80')).head).toMatch(/^HTTP\/1.1 500 /)
  })

  it('fails the one session in which it throws, or names what cannot be used', async () => {
    await using target = await startTarget('banner')
    await using proxy = await startProxy({
      onRequest: ({ host }) => {
        if (host === 'throw.test') throw new Error('oops')
        return host === 'bad.test' ? { upstream: 'ftp://127.0.0.1' } : 'allow'
      },
    })
    for (const host of ['throw.test', 'bad.test']) expect((await ask(proxy, `${host}:80`)).head).toMatch(/^HTTP\/1.1 500 /)
    expect((await ask(proxy, `127.0.0.1:${target.port}`)).head).toMatch(/^HTTP\/1.1 200 /)
  })
})
