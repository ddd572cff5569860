import { connectTo, Peer, startTarget, until } from '@sluice/testkit'
import { STATS_MANAGER } from '@sluice/core'
import { describe, expect, it } from 'vitest'
import { createInstance, modules, type Config } from '../../src/index.js'

const NAMES = ['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty']

describe('T10 a name that every object has', () => {
  it.each(NAMES)('is counted right as user, inbound and outbound: %s', async (name) => {
    await using target = await startTarget('echo')
    const config = {
      stats: {},
      policy: { levels: { 0: { statsUserUplink: true } }, system: { statsInboundUplink: true, statsOutboundUplink: true } },
      inbounds: [{ protocol: 'socks', tag: name, port: 0, settings: { auth: 'password', accounts: [{ user: name, pass: 'pw' }] } }],
      outbounds: [{ protocol: 'freedom', tag: name }],
    } as const satisfies Config
    await using instance = createInstance(config, { modules })
    await instance.start()
    const client = new Peer(await connectTo(instance.listening[0]?.address.port ?? 0))
    const user = Buffer.from(name)
    await client.send(Buffer.concat([Buffer.from([5, 1, 2, 1, user.length]), user, Buffer.from([2]), Buffer.from('pw')]))
    await client.send(Buffer.from([5, 1, 0, 1, 127, 0, 0, 1, target.port >> 8, target.port & 255]))
    await client.expectBytes(14)
    await client.send('12345')
    await client.expect('12345')
    await client.fin()
    await client.expectEnd()
    await until(() => instance.connections().length === 0, 'the session to end')
    const counters = instance.get(STATS_MANAGER).snapshot()
    const uplink = (kind: string): number | undefined => counters.get(`${kind}>>>${name}>>>traffic>>>uplink`)
    expect([uplink('user'), uplink('inbound'), uplink('outbound')]).toEqual([5, 5, 5])
    expect(Reflect.ownKeys(Object.prototype)).toEqual(Reflect.ownKeys(Object.getPrototypeOf({})))
    expect(Object.keys({})).toEqual([])
  })

  it('cannot be used to log in where nobody has it', async () => {
    const config = { inbounds: [{ protocol: 'http', port: 0, settings: { accounts: [{ user: 'me', pass: 'pw' }] } }] } as const satisfies Config
    await using instance = createInstance(config, { modules })
    await instance.start()
    for (const name of NAMES) {
      const client = new Peer(await connectTo(instance.listening[0]?.address.port ?? 0))
      await client.send(`CONNECT a:1 HTTP/1.1\r\nHost: a\r\nProxy-Authorization: Basic ${btoa(`${name}:undefined`)}\r\n\r\n`)
      expect(await client.expectHead()).toMatch(/^HTTP\/1\.1 407 /)
      client.socket.destroy()
    }
  })
})
