import { connectTo, connectProxy, Peer, startTarget, until } from '@sluice/testkit'
import { describe, expect, it } from 'vitest'
import { ControlHub, createControlFeature } from '../src/index.js'
import { watched } from './watched.js'

describe('GET /connections', () => {
  it('tells of each live session what it is, and its bytes at this moment', async () => {
    await using target = await startTarget('echo')
    await using upstream = await connectProxy()
    await using all = await watched({
      outbounds: [{ protocol: 'http', tag: 'proxy', settings: { servers: [{ address: '127.0.0.1', port: upstream.port }] } }],
    })
    const client = await all.open(target.port)
    expect(await all.connections()).toMatchObject([{ uplinkBytes: 0, downlinkBytes: 0 }])
    await client.send('hello')
    await client.expect('hello')
    const [session] = await all.connections()
    expect(session).toEqual({
      id: all.instance.connections()[0]?.id,
      state: 'open',
      inbound: 'in',
      source: expect.stringMatching(/^127\.0\.0\.1:\d+$/) as string,
      target: `127.0.0.1:${target.port}`,
      network: 'tcp',
      user: 'ann',
      outbound: 'proxy',
      server: `127.0.0.1:${upstream.port}`,
      startedAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/) as string,
      attempts: 1,
      uplinkBytes: 5,
      downlinkBytes: 5,
    })
    client.reset()
    await until(() => all.instance.connections().length === 0, 'the session to end')
    expect(await all.connections()).toEqual([])
  })

  it('tells of a session whose tunnel is not open yet', async () => {
    await using upstream = await connectProxy({ behaviour: 'stall' })
    await using all = await watched({
      outbounds: [{ protocol: 'http', tag: 'proxy', settings: { servers: [{ address: '127.0.0.1', port: upstream.port }] } }],
    })
    const opening = all.open(9)
    await until(() => upstream.requests.length === 1, 'the CONNECT')
    expect(await all.connections()).toMatchObject([{ state: 'connecting', outbound: 'proxy' }])
    expect((await all.ask('/connections', { method: 'DELETE' })).status).toBe(200)
    const client = await opening
    expect(client.received.toString()).toMatch(/^HTTP\/1.1 502 /)
  })
})

describe('DELETE /connections', () => {
  it('cuts one session as an error, and leaves the others', async () => {
    await using target = await startTarget('echo')
    await using all = await watched()
    const [first, second] = [await all.open(target.port), await all.open(target.port)]
    const [session] = all.instance.connections()
    const ended: unknown[] = []
    all.instance.events.on('session:close', ({ record }) => void ended.push(record))
    const answer = await all.ask(`/connections/${session?.id}`, { method: 'DELETE' })
    expect([answer.status, await answer.json()]).toEqual([200, { closed: 1 }])
    await first.expectReset()
    await until(() => ended.length === 1, 'the end of the session')
    expect(ended).toMatchObject([{ outcome: 'cancelled', error: { code: 'ABORT', side: 'internal' } }])
    await second.send('still')
    await second.expect('still')
    expect((await all.ask(`/connections/${session?.id}`, { method: 'DELETE' })).status).toBe(404)
  })

  it('cuts all without an id', async () => {
    await using target = await startTarget('echo')
    await using all = await watched()
    const clients = [await all.open(target.port), await all.open(target.port), await all.open(target.port)]
    expect(await (await all.ask('/connections', { method: 'DELETE' })).json()).toEqual({ closed: 3 })
    for (const client of clients) await client.expectReset()
  })
})

describe('ControlHub', () => {
  it('shows the sessions and sums of all instances that share it, and forgets one that has ended', async () => {
    await using target = await startTarget('echo')
    const hub = new ControlHub()
    const module = createControlFeature({ hub })
    await using one = await watched({}, module)
    const client = await one.open(target.port)
    await client.send('12345')
    await client.expect('12345')
    {
      await using other = await watched({}, module)
      const more = await other.open(target.port)
      await more.send('123')
      await more.expect('123')
      expect(await one.connections()).toHaveLength(2)
      expect(await other.connections()).toHaveLength(2)
      expect(await one.metrics()).toContain('sluice_bytes_total{outbound="direct",direction="uplink"} 8\n')
    }
    expect(hub.sessions()).toHaveLength(1)
    expect(await one.metrics()).toContain('sluice_bytes_total{outbound="direct",direction="uplink"} 8\n')
    expect(await one.metrics()).toContain('sluice_sessions_open{inbound="in",outbound="direct"} 1\n')
  })
})

describe('a proxy with a control interface', () => {
  it('lets no client through to it', async () => {
    await using all = await watched()
    const client = await all.open(all.controlPort)
    expect(client.received.toString()).toMatch(/^HTTP\/1.1 403 /)
    const direct = new Peer(await connectTo(all.controlPort))
    await direct.send('GET /version HTTP/1.1\r\nHost: localhost\r\n\r\n')
    expect(await direct.expectHead()).toMatch(/^HTTP\/1.1 200 /)
  })
})
