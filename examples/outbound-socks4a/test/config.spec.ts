import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createInstance, dial, isConfigError, modules, type Config, type Instance } from 'sluice'
import { closedPort, startTarget } from '@sluice/testkit'
import { describe, expect, it } from 'vitest'
import { socks4aOutbound } from '../src/index.js'
import { socks4aServer } from './socks4a-server.js'

const text = readFileSync(new URL('../config.json', import.meta.url), 'utf8')

function load(config: unknown): Instance {
  return createInstance(config as Config, { modules: [...modules, socks4aOutbound] })
}

function withServers(...ports: number[]): Config {
  const config = JSON.parse(text.replace('8080', '0')) as { outbounds: [{ settings: { servers: unknown } }] }
  config.outbounds[0].settings.servers = ports.map((port) => ({ address: '127.0.0.1', port }))
  return config as unknown as Config
}

describe('config.json', () => {
  it('is loaded as it is', () => {
    expect(load(JSON.parse(text)).remarks).toEqual([])
  })

  it('carries a session through the server that it names', async () => {
    await using target = await startTarget('echo')
    await using server = await socks4aServer('tunnel')
    await using instance = load(withServers(server.port))
    await instance.start()
    const connection = await dial(instance, { host: 'target.test', port: target.port })
    connection.end('hello')
    const [chunk] = await once(connection, 'data') as [Buffer]
    expect(chunk.toString()).toBe('hello')
    expect(server.asked).toEqual(['target.test'])
    await once(connection.resume(), 'close')
  })
})

describe('Socks4aOutbound', () => {
  it('goes on to the next server, and tells the last failure when there is none', async () => {
    await using target = await startTarget('echo')
    await using refusing = await socks4aServer('refuse')
    await using server = await socks4aServer('tunnel')
    const closed = await closedPort()
    await using good = load(withServers(closed, refusing.port, server.port))
    await good.start()
    const connection = await dial(good, { host: 'a.test', port: target.port })
    const [session] = good.connections()
    expect(session?.record).toMatchObject({ attempts: 3, server: `127.0.0.1:${server.port}` })
    connection.destroy()

    await using bad = load(withServers(closed, refusing.port))
    await bad.start()
    await expect(dial(bad, { host: 'a.test', port: target.port })).rejects.toMatchObject({ code: 'STATUS', message: /refuses with 91/ })
  })

  it('asks no server for what none can reach', async () => {
    await using server = await socks4aServer('tunnel')
    await using instance = load(withServers(server.port))
    await instance.start()
    await expect(dial(instance, { host: 'a\0b', port: 80 })).rejects.toMatchObject({ code: 'TARGET' })
    expect(server.asked).toEqual([])
  })
})

describe('the settings', () => {
  it('are checked by the schema and by check(), with paths', () => {
    const outbounds = [
      { protocol: 'socks4a', settings: { server: [] } },
      { protocol: 'socks4a', settings: { servers: [{ address: 'a', port: 1 }], user: 'a\0b' } },
    ]
    try {
      load({ outbounds })
      expect.unreachable()
    } catch (error) {
      if (!isConfigError(error)) throw error
      expect(error.faults.map(({ path }) => path)).toEqual([
        'outbounds[0].settings.servers', 'outbounds[0].settings.server', 'outbounds[1].settings.user',
      ])
    }
  })
})
