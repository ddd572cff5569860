import { connectTo, Peer, startTarget } from '@sluice/testkit'
import { afterEach, describe, expect, it } from 'vitest'
import { createInstance, createProxy, modules, type Config, type Instance } from '../../src/index.js'

const started: Instance[] = []

async function start(config: Config): Promise<Instance> {
  const instance = createInstance(config, { modules })
  started.push(instance)
  await instance.start()
  return instance
}

afterEach(async () => {
  for (const instance of started.splice(0)) await instance.stop({ drainMs: 0 })
})

const portOf = (instance: Instance): number => instance.listening[0]?.address.port ?? 0

/** A port on which an instance can listen in a moment. */
async function freePort(): Promise<number> {
  const target = await startTarget('silent')
  await target.close()
  return target.port
}

async function ask(port: number, target: string): Promise<string> {
  const client = new Peer(await connectTo(port))
  await client.send(`CONNECT ${target} HTTP/1.1\r\nHost: x\r\n\r\n`)
  const head = await client.expectHead()
  client.socket.destroy()
  return head.split('\r\n')[0] ?? ''
}

describe('T5 an instance', () => {
  it.each(['127.0.0.1', 'localhost', '[::ffff:127.0.0.1]'])('does not dial its own listener as %s', async (host) => {
    const instance = await start({ inbounds: [{ protocol: 'http', port: 0 }], outbounds: [{ protocol: 'freedom' }] })
    let sessions = 0
    instance.events.on('session:open', () => { sessions++ })
    expect(await ask(portOf(instance), `${host}:${portOf(instance)}`)).toBe('HTTP/1.1 403 Forbidden')
    expect(sessions).toBe(1)
  })

  it.each(['0.0.0.0', '::'])('does not dial a listener on %s by an address of loopback', async (listen) => {
    const instance = await start({ inbounds: [{ protocol: 'http', listen, port: 0, allowOpen: true }], outbounds: [{ protocol: 'freedom' }] })
    expect(await ask(portOf(instance), `127.0.0.3:${portOf(instance)}`)).toBe('HTTP/1.1 403 Forbidden')
  })

  it('refuses a session at once whose outbound is its own inbound', async () => {
    const port = await freePort()
    const instance = await start({
      inbounds: [{ protocol: 'http', port }],
      outbounds: [{ protocol: 'http', settings: { servers: [{ address: '127.0.0.1', port }] } }],
    })
    let sessions = 0
    let dials = 0
    instance.events.on('session:close', ({ record }) => {
      sessions++
      dials += record.attempts
    })
    expect(await ask(port, 'target.test:443')).toBe('HTTP/1.1 403 Forbidden')
    expect({ sessions, dials }).toEqual({ sessions: 1, dials: 1 })
  })

  it('knows its listeners after a reload, too, those that it took over from the config before', async () => {
    await using proxy = createProxy({ inbounds: [{ protocol: 'http', port: 0 }], outbounds: [{ protocol: 'freedom' }] })
    await proxy.start()
    const port = proxy.listening[0]?.address.port ?? 0
    expect(await ask(port, `127.0.0.1:${port}`)).toBe('HTTP/1.1 403 Forbidden')
    await proxy.reload()
    expect(await ask(port, `127.0.0.1:${port}`)).toBe('HTTP/1.1 403 Forbidden')
  })

  it('dials another instance of the same process, which is another proxy', async () => {
    await using target = await startTarget('echo')
    const far = await start({ inbounds: [{ protocol: 'http', port: 0 }], outbounds: [{ protocol: 'freedom' }] })
    const servers = [{ address: '127.0.0.1', port: portOf(far) }]
    const near = await start({ inbounds: [{ protocol: 'http', port: 0 }], outbounds: [{ protocol: 'http', settings: { servers } }] })
    expect(await ask(portOf(near), `127.0.0.1:${target.port}`)).toMatch(/^HTTP\/1\.1 200 /)
  })
})
