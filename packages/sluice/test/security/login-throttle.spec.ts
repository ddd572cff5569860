import { connectTo, Peer, startTarget, type Target } from '@sluice/testkit'
import { connect } from 'node:net'
import { once } from 'node:events'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createInstance, modules, type Config, type Instance } from '../../src/index.js'

const accounts = [{ user: 'me', pass: 'secret' }]
const config = {
  inbounds: [
    { protocol: 'socks', tag: 'socks', port: 0, settings: { auth: 'password', accounts } },
    { protocol: 'http', tag: 'http', port: 0, settings: { accounts } },
  ],
  outbounds: [{ protocol: 'freedom' }],
} as const satisfies Config

describe('T2 an inbound whose client has sent ten wrong passwords', () => {
  let instance: Instance
  let target: Target
  let warnings: string[]

  beforeEach(async () => {
    target = await startTarget('banner')
    instance = createInstance(config, { modules })
    warnings = []
    instance.events.on('log', ({ level, message }) => { if (level === 'warning') warnings.push(message) })
    await instance.start()
  })

  afterEach(async () => {
    await instance.stop({ drainMs: 0 })
    await target.close()
  })

  const portOf = (tag: string): number => instance.listening.find((where) => where.tag === tag)?.address.port ?? 0

  /** The answer to a log-in over SOCKS5: 0 is a yes. */
  async function socks(pass: string, localAddress = '127.0.0.1'): Promise<number | undefined> {
    const socket = connect({ host: '127.0.0.1', port: portOf('socks'), localAddress })
    await once(socket, 'connect')
    const client = new Peer(socket)
    await client.send(Buffer.from([5, 1, 2, 1, 2, ...Buffer.from('me'), pass.length, ...Buffer.from(pass)]))
    const answer = (await client.expectBytes(4))[3]
    socket.destroy()
    return answer
  }

  async function http(pass: string, request: string): Promise<string> {
    const client = new Peer(await connectTo(portOf('http')))
    await client.send(`${request} HTTP/1.1\r\nHost: x\r\nProxy-Authorization: Basic ${btoa(`me:${pass}`)}\r\n\r\n`)
    const head = await client.expectHead()
    client.socket.destroy()
    return head.split('\r\n')[0] ?? ''
  }

  it('refuses its right one too, over SOCKS, and lets others in', async () => {
    for (let count = 0; count < 10; count++) expect(await socks(`guess${count}`)).toBe(1)
    expect(await socks('secret')).toBe(1)
    expect(await socks('secret', '127.0.0.2')).toBe(0)
    expect(warnings).toEqual(['Inbound "socks" refuses all log-ins from 127.0.0.1 for the rest of the minute: too many were wrong'])
  })

  it.each(['CONNECT', 'GET'])('answers %s with 429 whatever the password, and says so once in the log', async (method) => {
    const request = method === 'CONNECT' ? `CONNECT 127.0.0.1:${target.port}` : 'GET http://127.0.0.1:1/'
    for (let count = 0; count < 10; count++) expect(await http(`guess${count}`, request)).toBe('HTTP/1.1 407 Proxy Authentication Required')
    for (const pass of ['secret', 'guess']) expect(await http(pass, request)).toBe('HTTP/1.1 429 Too Many Requests')
    expect(warnings.filter((message) => message.startsWith('Inbound "http" refuses all log-ins from 127.0.0.1'))).toHaveLength(1)
  })

  it('counts no request that had no password at all', async () => {
    for (let count = 0; count < 12; count++) {
      const client = new Peer(await connectTo(portOf('http')))
      await client.send(`CONNECT 127.0.0.1:${target.port} HTTP/1.1\r\nHost: x\r\n\r\n`)
      expect(await client.expectHead()).toMatch(/^HTTP\/1\.1 407 /)
      client.socket.destroy()
    }
    expect(await http('secret', `CONNECT 127.0.0.1:${target.port}`)).toMatch(/^HTTP\/1\.1 200 /)
  })
})
