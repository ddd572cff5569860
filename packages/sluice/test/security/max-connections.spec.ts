import { connectTo, createCertificates, Peer, until } from '@sluice/testkit'
import { afterEach, describe, expect, it } from 'vitest'
import { createInstance, isConfigError, modules, type Config, type Instance } from '../../src/index.js'

const { certPem, keyPem } = await (await createCertificates()).issue()
const TLS = { security: 'tls', tlsSettings: { certificates: [{ certificate: certPem.split('\n'), key: keyPem.split('\n') }] } } as const
let instance: Instance

afterEach(async () => {
  await instance.stop({ drainMs: 0 })
})

async function start(config: Config): Promise<{ port: number, warnings: string[] }> {
  instance = createInstance(config, { modules })
  const warnings: string[] = []
  instance.events.on('log', ({ level, message }) => { if (level === 'warning') warnings.push(message) })
  await instance.start()
  return { port: instance.listening[0]?.address.port ?? 0, warnings }
}

const isGone = (client: Peer): boolean => client.ended || client.socket.destroyed

/** Waits until the inbound serves it: it answers the greeting. */
async function greeted(port: number): Promise<Peer> {
  const client = new Peer(await connectTo(port))
  await client.send(Buffer.from([5, 1, 0]))
  await client.expectBytes(2)
  return client
}

describe('T8 maxConnections', () => {
  it('cuts clients beyond it at once and tells the log once, harms no other, and lets the next in when one has left', async () => {
    const { port, warnings } = await start({ inbounds: [{ protocol: 'socks', port: 0, maxConnections: 2 }], outbounds: [{ protocol: 'freedom' }] })
    const clients = [await greeted(port), await greeted(port)]
    for (let count = 0; count < 5; count++) {
      const beyond = new Peer(await connectTo(port))
      await until(() => isGone(beyond), 'the client beyond the limit to be cut')
      expect(beyond.receivedBytes).toBe(0)
      beyond.socket.destroy()
    }
    expect(clients.filter(isGone)).toEqual([])
    expect(warnings).toEqual([`Cannot accept on 127.0.0.1:0: 2 clients are connected, which is the limit (maxConnections)`])
    clients[0]?.socket.destroy()
    // The inbound learns of it a moment later than we do.
    let next: Peer
    do {
      next = new Peer(await connectTo(port))
      await next.send(Buffer.from([5, 1, 0]))
      await until(() => next.receivedBytes === 2 || isGone(next), 'an answer or an end')
      next.socket.destroy()
    } while (next.receivedBytes === 0)
    clients[1]?.socket.destroy()
  })

  it('counts clients that are still in their TLS handshake', async () => {
    const inbound = { protocol: 'http', port: 0, maxConnections: 1, streamSettings: TLS } as const
    const { port } = await start({ inbounds: [inbound], outbounds: [{ protocol: 'freedom' }] })
    const silent = new Peer(await connectTo(port))
    const beyond = new Peer(await connectTo(port))
    await until(() => isGone(beyond), 'the client beyond the limit to be cut')
    expect(isGone(silent)).toBe(false)
    for (const { socket } of [silent, beyond]) socket.destroy()
  })

  it('must be at least 1', () => {
    const config = { inbounds: [{ protocol: 'socks', port: 0, maxConnections: 0 }] } as const
    let paths: string[] = []
    try {
      createInstance(config, { modules })
    } catch (error) {
      if (isConfigError(error)) paths = error.faults.map(({ path }) => path)
    }
    expect(paths).toEqual(['inbounds[0].maxConnections'])
  })
})
