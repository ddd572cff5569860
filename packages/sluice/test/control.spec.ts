import { writeFileSync } from 'node:fs'
import { CONTROL } from '@sluice/control'
import { closedPort, connectTo, Peer, startTarget } from '@sluice/testkit'
import { describe, expect, it } from 'vitest'
import { createProxy, type Config, type Proxy } from '../src/index.js'
import { configFile } from './command.js'

const QUIET = { access: 'none', error: 'none' } as const

async function open({ listening }: Proxy, target: number): Promise<Peer> {
  const client = new Peer(await connectTo(listening[0]?.address.port ?? 0))
  await client.send(`CONNECT 127.0.0.1:${target} HTTP/1.1\r\nHost: a\r\n\r\n`)
  await client.expectHead()
  return client
}

describe('a proxy with a control interface', () => {
  it('reloads when it is told to, counts on, and shows the sessions of the config before', async () => {
    await using target = await startTarget('echo')
    const port = await closedPort()
    const config: Config = {
      log: QUIET,
      control: { listen: `127.0.0.1:${port}` },
      inbounds: [{ protocol: 'http', tag: 'in', port: 0 }],
      outbounds: [{ protocol: 'freedom', tag: 'direct' }],
    }
    await using proxy = createProxy(config)
    await proxy.start()
    const client = await open(proxy, target.port)
    const before = proxy.instance
    const ask = (path: string, method = 'GET'): Promise<Response> => fetch(`http://127.0.0.1:${port}${path}`, { method })
    const reloaded = await ask('/reload', 'POST')
    expect([reloaded.status, await reloaded.json()]).toEqual([200, { ok: true, remarks: [] }])
    expect([proxy.instance === before, proxy.instance?.get(CONTROL).address?.port]).toEqual([false, port])
    await open(proxy, target.port)
    await client.send('hello')
    await client.expect('hello')
    const { connections } = await (await ask('/connections')).json() as { connections: readonly { readonly uplinkBytes: number }[] }
    expect(connections.map(({ uplinkBytes }) => uplinkBytes)).toEqual([5, 0])
    expect(await (await ask('/metrics')).text()).toContain('sluice_attempts_total{outbound="direct"} 2\n')
    expect((await ask('/connections', 'DELETE')).status).toBe(200)
    await client.expectReset()
  })

  it('answers on when a reload fails', async () => {
    await using taken = await startTarget('echo')
    const config: Config = { log: QUIET, control: { listen: `127.0.0.1:${await closedPort()}` } }
    await using file = await configFile(config)
    await using proxy = createProxy(file.path)
    await proxy.start()
    const port = proxy.instance?.get(CONTROL).address?.port
    const reload = async (next: unknown): Promise<number> => {
      writeFileSync(file.path, JSON.stringify(next))
      return (await fetch(`http://127.0.0.1:${port}/reload`, { method: 'POST' })).status
    }
    expect(await reload({ ...config, inbounds: [{ protocol: 'http', port: taken.port }] })).toBe(500)
    expect(await reload({ ...config, inbounds: 7 })).toBe(422)
    expect(await reload(config)).toBe(200)
    expect((await fetch(`http://127.0.0.1:${port}/health`)).status).toBe(200)
  })

  it('lets no client through to it, before a reload and after', async () => {
    await using proxy = createProxy({
      log: QUIET,
      control: { listen: '127.0.0.1:0' },
      inbounds: [{ protocol: 'http', port: 0 }],
      outbounds: [{ protocol: 'freedom' }],
    })
    await proxy.start()
    for (let round = 0; round < 2; round++) {
      const client = await open(proxy, proxy.instance?.get(CONTROL).address?.port ?? 0)
      expect(client.received.toString()).toMatch(/^HTTP\/1.1 403 /)
      await proxy.reload()
    }
  })
})
