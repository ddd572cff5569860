import { ConfigError, fault, STATS_MANAGER } from '@sluice/core'
import { closedPort, startTarget } from '@sluice/testkit'
import { describe, expect, it } from 'vitest'
import { ControlHub, createControlFeature } from '../src/index.js'
import { watched, type Watched } from './watched.js'

/** Without inbounds and outbounds an instance is made faster. */
const alone = (hub = new ControlHub()): Promise<Watched> => watched({ inbounds: [], outbounds: [] }, createControlFeature({ hub }))

describe('GET /health', () => {
  it('is well until all known servers of an outbound rest', async () => {
    const dead = await closedPort()
    await using all = await watched({
      outbounds: [{ protocol: 'http', tag: 'proxy', settings: { servers: [{ address: '127.0.0.1', port: dead }] } }],
    })
    const before = await all.ask('/health')
    expect([before.status, await before.json()]).toEqual([200, { ok: true, servers: [] }])
    await all.open(9)
    const after = await all.ask('/health')
    expect(after.status).toBe(503)
    expect(await after.json()).toEqual({
      ok: false,
      servers: [{
        outbound: 'proxy', server: `127.0.0.1:${dead}`, up: false, code: 'DIAL', since: expect.stringMatching(/^\d{4}-.*Z$/) as string,
      }],
    })
    all.instance.events.emit('server:up', { outboundTag: 'proxy', server: `127.0.0.1:${dead}` })
    expect((await all.ask('/health')).status).toBe(200)
  })
})

describe('GET /stats', () => {
  it('has the counters that the config asks for', async () => {
    await using target = await startTarget('echo')
    await using all = await watched({ stats: {} })
    all.instance.get(STATS_MANAGER).counter('inbound>>>in>>>traffic>>>uplink')?.add(3)
    await all.open(target.port)
    expect(await (await all.ask('/stats')).json()).toMatchObject({ 'inbound>>>in>>>traffic>>>uplink': 3 })
  })

  it('is empty where nothing is counted', async () => {
    await using all = await alone()
    expect(await (await all.ask('/stats')).json()).toEqual({})
  })
})

describe('POST /reload', () => {
  it('is not served where the program cannot reload', async () => {
    await using all = await alone()
    expect((await all.ask('/reload', { method: 'POST' })).status).toBe(501)
  })

  it('does what the program says, and tells what is wrong with the config', async () => {
    const hub = new ControlHub()
    await using all = await alone(hub)
    const post = async (): Promise<unknown> => {
      const answer = await all.ask('/reload', { method: 'POST' })
      return [answer.status, await answer.json()]
    }
    const remark = fault(['log'], 'is odd', { severity: 'warning' })
    hub.onReload = () => Promise.resolve([remark])
    expect(await post()).toEqual([200, { ok: true, remarks: [remark] }])
    hub.onReload = () => Promise.reject(new ConfigError([fault(['inbounds', 0], 'is wrong')]))
    expect(await post()).toMatchObject([422, { faults: [{ path: 'inbounds[0]', message: 'is wrong' }] }])
    hub.onReload = () => Promise.reject(new Error('Cannot listen'))
    expect(await post()).toEqual([500, { error: 'Cannot reload: Cannot listen' }])
  })

  it('lets the answer go out when the instance that gives it ends by the reload', async () => {
    const hub = new ControlHub()
    await using all = await alone(hub)
    let stopped: Promise<unknown> = Promise.resolve()
    hub.onReload = async () => {
      stopped = all.instance.stop({ drainMs: 0 })
      await Promise.race([stopped, new Promise((resolve) => setImmediate(resolve))])
      return []
    }
    expect((await all.ask('/reload', { method: 'POST' })).status).toBe(200)
    await stopped
  })
})

describe('the control interface', () => {
  it('tells its version', async () => {
    await using all = await alone()
    expect(await (await all.ask('/version')).json()).toMatchObject({ version: '0.1.0', node: process.version, pid: process.pid })
  })

  it('answers HEAD as GET without a body', async () => {
    await using all = await alone()
    const answer = await all.ask('/version', { method: 'HEAD' })
    expect([answer.status, await answer.text()]).toEqual([200, ''])
  })

  it.each(['/', '/connections/', '/metrics/', '/__proto__', '/connections/1/2', '//connections', '/constructor'])('has nothing at %s', async (path) => {
    await using all = await alone()
    expect((await all.ask(path)).status).toBe(404)
  })

  it.each([['POST', '/metrics', 'GET'], ['GET', '/reload', 'POST'], ['PUT', '/connections', 'GET, DELETE'], ['GET', '/connections/7', 'DELETE']])(
    'says which methods there are in place of %s %s', async (method, path, allow) => {
      await using all = await alone()
      const answer = await all.ask(path, { method })
      expect([answer.status, answer.headers.get('allow')]).toEqual([405, allow])
    },
  )

  it('tells a failure of its own as a bug, in the log with its reason', async () => {
    const hub = new ControlHub()
    await using all = await alone(hub)
    hub.counters = () => { throw new Error('a secret reason') }
    const answer = await all.ask('/stats')
    expect([answer.status, await answer.text()]).toEqual([500, '{"error":"This is a bug; the log says more"}\n'])
    expect(all.logged).toContainEqual(expect.objectContaining({ level: 'error', message: 'The control interface failed to answer' }))
  })
})
