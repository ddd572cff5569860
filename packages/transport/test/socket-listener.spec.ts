import { once } from 'node:events'
import { connect as connectTls, type ConnectionOptions, type TLSSocket } from 'node:tls'
import { afterEach, describe, expect, it } from 'vitest'
import { InstanceEvents, type Connection, type Endpoint, type ListenerSpec } from '@sluice/core'
import { connectTo, createCertificates, leakCounter, Peer, until } from '@sluice/testkit'
import { abort } from '../src/abort.js'
import { SocketListenerFactory } from '../src/socket-listener-factory.js'
import type { TlsSettings } from '../src/stream-settings.js'
import { rejection } from './rejection.js'

const certificates = await createCertificates()
const { certPem, keyPem } = await certificates.issue()
const own = { certificate: certPem.split('\n'), key: keyPem.split('\n') }

interface Started {
  readonly listener: ReturnType<SocketListenerFactory['create']>
  readonly address: Endpoint
  readonly connections: Connection[]
  connection(index: number): Promise<Connection>
}

const started: Started[] = []
afterEach(async () => {
  await Promise.all(started.splice(0).map(({ listener }) => listener.close()))
})

async function start(spec: Partial<ListenerSpec> = {}): Promise<Started> {
  const listener = new SocketListenerFactory(new InstanceEvents()).create({ listen: '127.0.0.1', port: 0, stream: {}, handshakeMs: 5_000, ...spec })
  const connections: Connection[] = []
  const address = await listener.start((connection) => connections.push(connection))
  const one: Started = {
    listener,
    address,
    connections,
    async connection(index) {
      await until(() => index < connections.length, `connection ${index}`)
      return connections[index] as Connection
    },
  }
  started.push(one)
  return one
}

function withTls(tlsSettings: TlsSettings = {}, handshakeMs = 5_000): Partial<ListenerSpec> {
  return { stream: { security: 'tls', tlsSettings: { certificates: [own], ...tlsSettings } }, handshakeMs }
}

async function tlsClient({ port }: Endpoint, options: ConnectionOptions = {}): Promise<TLSSocket> {
  const client = connectTls({ socket: await connectTo(port), servername: 'localhost', ca: certificates.ca.certPem, ...options })
  await once(client, 'secureConnect')
  return client.on('error', () => {})
}

describe('SocketListener', () => {
  it('start() tells the port that the kernel picked, and hands connections over', async () => {
    const { address, connection } = await start()
    expect(address).toEqual({ host: '127.0.0.1', port: expect.any(Number) as number })
    const client = await connectTo(address.port)
    const accepted = await connection(0)
    expect(accepted).toMatchObject({ remoteAddress: '127.0.0.1', remotePort: client.localPort })
    expect(accepted.listenerCount('error')).toBe(1)
    client.destroy()
  })

  it('start() listens on 127.0.0.1 for localhost', async () => {
    const { address } = await start({ listen: 'localhost' })
    expect(address.host).toBe('127.0.0.1')
  })

  it('start() rejects with the address when it is taken', async () => {
    const { address } = await start()
    const error = await rejection(start({ port: address.port })) as Error
    expect(error.message).toBe(`Cannot listen on 127.0.0.1:${address.port}: address already in use`)
    expect(error.cause).toMatchObject({ code: 'EADDRINUSE' })
  })

  it('start() rejects with the address when this machine does not have it', async () => {
    const error = await rejection(start({ listen: '192.0.2.1', port: 1080 })) as Error
    expect(error.message).toBe('Cannot listen on 192.0.2.1:1080: address not available')
  })

  it('hands over connections whose halves end independently', async () => {
    const { address, connection } = await start()
    const client = new Peer(await connectTo(address.port))
    const accepted = await connection(0)
    await client.fin()
    await once(accepted.resume(), 'end')
    accepted.end('late')
    await client.expect('late')
    await client.expectEnd()
  })

  it('hands over connections whose reset harms nobody', async () => {
    const { address, connection } = await start()
    const client = await connectTo(address.port)
    const accepted = await connection(0)
    client.resetAndDestroy()
    await until(() => accepted.destroyed, 'the reset to be seen')
    expect(accepted.errored).toMatchObject({ code: 'ECONNRESET' })
  })

  it('stop() accepts no more and leaves what is open', async () => {
    const { listener, address, connection } = await start()
    const client = new Peer(await connectTo(address.port))
    const accepted = await connection(0)
    listener.stop()
    listener.stop()
    expect(await rejection(connectTo(address.port))).toMatchObject({ code: 'ECONNREFUSED' })
    accepted.write('still here')
    await client.expect('still here')
    client.reset()
  })

  it('close() resets what is open and resolves when all is closed', async () => {
    const counter = leakCounter()
    const { listener, address, connection } = await start()
    const clients = [new Peer(await connectTo(address.port)), new Peer(await connectTo(address.port))]
    await connection(1)
    const closing = Promise.all([listener.close(), listener.close()])
    await Promise.all(clients.map((client) => client.expectReset()))
    await closing
    await counter.expectNoLeaks()
  })

  it('close() resolves for a listener that never started', async () => {
    const listener = new SocketListenerFactory(new InstanceEvents()).create({ listen: '127.0.0.1', port: 0, stream: {}, handshakeMs: 0 })
    await listener.close()
    expect(() => listener.stop()).not.toThrow()
  })

  it('close() leaves nothing of the connections that came and went', async () => {
    const counter = leakCounter()
    const { listener, address, connections } = await start()
    for (let index = 0; index < 50; index += 1) (await connectTo(address.port)).destroy()
    await until(() => connections.length === 50, '50 connections')
    for (const connection of connections) connection.destroy()
    await listener.close()
    await counter.expectNoLeaks()
  })
})

describe('SocketListener with TLS', () => {
  it('hands over connections after their handshake, half-open and with http/1.1 agreed on', async () => {
    const { address, connection } = await start(withTls())
    const client = await tlsClient(address, { ALPNProtocols: ['h2', 'http/1.1'] })
    expect(client.alpnProtocol).toBe('http/1.1')
    const accepted = await connection(0)
    expect(accepted).toMatchObject({ alpnProtocol: 'http/1.1', remoteAddress: '127.0.0.1' })
    expect(accepted.listenerCount('error')).toBe(1)
    const peer = new Peer(client)
    client.end('request')
    expect(String((await once(accepted, 'data'))[0])).toBe('request')
    await once(accepted, 'end')
    await new Promise(setImmediate)
    accepted.end('late')
    await peer.expect('late')
    await peer.expectEnd()
  })

  it('agrees on the protocols of the settings, and takes clients without ALPN', async () => {
    const { address, connection } = await start(withTls({ alpn: 'h2,http/1.1' }))
    const clients = [await tlsClient(address, { ALPNProtocols: ['h2'] }), await tlsClient(address)]
    expect(clients.map(({ alpnProtocol }) => alpnProtocol)).toEqual(['h2', false])
    await connection(1)
    for (const client of clients) client.destroy()
  })

  it('agrees on the protocols of the inbound where the settings name none', async () => {
    const alpn = ['h2', 'http/1.1']
    const [open, settled] = [await start({ ...withTls(), alpn }), await start({ ...withTls({ alpn: ['http/1.1'] }), alpn })]
    const clients = await Promise.all([open, settled].map(({ address }) => tlsClient(address, { ALPNProtocols: alpn })))
    expect(clients.map(({ alpnProtocol }) => alpnProtocol)).toEqual(['h2', 'http/1.1'])
    for (const client of clients) client.destroy()
  })

  it('hands over connections that abort() resets', async () => {
    const { address, connection } = await start(withTls())
    const raw = await connectTo(address.port)
    const client = await tlsClient(address, { socket: raw })
    const accepted = await connection(0)
    client.write('hello')
    await once(accepted, 'data')
    const failed = new Promise((resolve) => client.once('error', resolve))
    abort(accepted, new Error('cut'))
    expect(await failed).toMatchObject({ code: 'ECONNRESET' })
  })

  it('picks the certificate for the name that the client asks for, else the first', async () => {
    const other = await certificates.issue({ names: ['other.test', '*.wild.test'] })
    const second = { certificate: other.certPem.split('\n'), key: other.keyPem.split('\n') }
    const { address } = await start(withTls({ certificates: [own, second] }))
    const nameOf = async (servername: string): Promise<unknown> => {
      const client = await tlsClient(address, { servername, checkServerIdentity: () => undefined })
      const { subject } = client.getPeerCertificate()
      client.destroy()
      return subject.CN
    }
    expect(await Promise.all(['localhost', 'other.test', 'a.wild.test', 'unknown.test'].map(nameOf)))
      .toEqual(['localhost', 'other.test', 'other.test', 'localhost'])
  })

  it('breaks off for an unknown name with rejectUnknownSni', async () => {
    const { address, connections } = await start(withTls({ rejectUnknownSni: true }))
    await rejection(tlsClient(address, { servername: 'unknown.test' }))
    const client = await tlsClient(address)
    await until(() => connections.length === 1, 'the connection by a known name')
    client.destroy()
  })

  it('lets in only clients with a certificate of the authority with verifyClientCertificate', async () => {
    const strangers = await createCertificates()
    const [friend, stranger] = [await certificates.issue({ usage: 'client' }), await strangers.issue({ usage: 'client' })]
    const authority = { usage: 'verifyclient' as const, certificate: certificates.ca.certPem.split('\n') }
    const { address, connection, connections } = await start(withTls({ verifyClientCertificate: true, certificates: [own, authority] }))
    for (const refused of [{}, { cert: stranger.certPem, key: stranger.keyPem }]) {
      const client = await tlsClient(address, refused)
      await new Promise((resolve) => client.once('error', resolve).once('end', resolve).resume())
      client.destroy()
    }
    expect(connections).toHaveLength(0)
    const client = await tlsClient(address, { cert: friend.certPem, key: friend.keyPem })
    await connection(0)
    client.destroy()
  })

  it('survives handshakes that fail, and closes their sockets at once', async () => {
    const counter = leakCounter()
    const { address, connections, listener } = await start(withTls())
    for (const act of ['garbage', 'end', 'part', 'reset']) {
      const peer = new Peer(await connectTo(address.port))
      if (act === 'garbage') await peer.send('GET / HTTP/1.1\r\n\r\n')
      if (act === 'part') await peer.send(Buffer.of(22, 3, 1, 0, 100, 1))
      if (act === 'end' || act === 'part') await peer.fin()
      if (act === 'reset') peer.reset()
      await until(() => peer.ended || peer.socket.destroyed, `the end after ${act}`, 500)
      peer.reset()
    }
    const client = await tlsClient(address)
    await until(() => connections.length === 1, 'a connection after all')
    client.destroy()
    await listener.close()
    await counter.expectNoLeaks()
  })

  it('cuts a handshake that takes longer than the limit', async () => {
    const { address } = await start(withTls({}, 50))
    const peer = new Peer(await connectTo(address.port))
    await until(() => peer.ended || peer.socket.destroyed, 'the end', 1_000)
    peer.reset()
  })

  it('does not limit a handshake with the limit 0', async () => {
    const { address, connection } = await start(withTls({}, 0))
    const client = await tlsClient(address)
    await connection(0)
    client.destroy()
  })

  it('stop() cuts unfinished handshakes and leaves what is open', async () => {
    const { listener, address, connection } = await start(withTls())
    const client = await tlsClient(address)
    const accepted = await connection(0)
    const unfinished = new Peer(await connectTo(address.port))
    await new Promise(setImmediate)
    listener.stop()
    await until(() => unfinished.ended || unfinished.socket.destroyed, 'the end')
    unfinished.reset()
    accepted.write('still here')
    expect(String((await once(client, 'data'))[0])).toBe('still here')
    client.destroy()
  })

  it('close() resets what is open under TLS, too', async () => {
    const { listener, address, connection } = await start(withTls())
    const client = await tlsClient(address)
    const accepted = await connection(0)
    accepted.write('ready')
    await once(client, 'data')
    const failed = new Promise((resolve) => client.once('error', resolve))
    await listener.close()
    expect(await failed).toMatchObject({ code: 'ECONNRESET' })
  })
})
