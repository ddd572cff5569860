import { once } from 'node:events'
import {
  connect as connectHttp2, createServer as createHttp2Server,
  type ClientHttp2Session, type ClientHttp2Stream, type ServerHttp2Stream,
} from 'node:http2'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Duplex } from 'node:stream'
import { connect as connectTls, TLSSocket } from 'node:tls'
import { createCertificates, leakCounter, Peer, tcpPair, tlsPair, until } from '@sluice/testkit'
import { beforeAll, describe, expect, it } from 'vitest'
import { abort, connectionPair, linkRawSocket } from '../src/index.js'
import { closed } from './closed.js'

const error = new Error('cut by the test')
let certificates: Awaited<ReturnType<typeof createCertificates>>
beforeAll(async () => { certificates = await createCertificates() })

/** A TLS pair whose client end is known to `abort`. */
async function linkedTlsPair(): Promise<{ client: TLSSocket; server: TLSSocket; raw: Socket }> {
  const pair = await tlsPair(certificates)
  linkRawSocket(pair[0], pair.raw[0])
  return { client: pair[0], server: pair[1], raw: pair.raw[0] }
}

/** Proves that the connection is cut, also where Node shows it as an end: nothing can be written any more. */
async function expectCut(peer: Peer): Promise<void> {
  await until(() => peer.ended || peer.socket.destroyed, 'the end of the connection')
  peer.socket.write('x')
  await peer.closed
  expect(peer.error).toBeDefined()
}

describe('abort() of a TCP socket', () => {
  it('sends an RST', async () => {
    const [client, server] = await tcpPair()
    const peer = new Peer(server)
    abort(client, error)
    await peer.expectReset()
    expect(client.destroyed).toBe(true)
  })

  it('sends an RST after our FIN, and in the turn in which the FIN leaves', async () => {
    for (const turns of [0, 1, 2]) {
      const counter = leakCounter()
      const [client, server] = await tcpPair()
      const peer = new Peer(server)
      client.end()
      for (let turn = 0; turn < turns; turn += 1) await new Promise(setImmediate)
      abort(client, error)
      await closed(client)
      await expectCut(peer)
      await counter.expectNoLeaks()
    }
  })

  it('drops what is not flushed', async () => {
    const [client, server] = await tcpPair()
    const peer = new Peer(server, { paused: true })
    let sent = 0
    do sent += 1 << 20
    while (client.write(Buffer.alloc(1 << 20)))
    abort(client, error)
    peer.resume()
    await expectCut(peer)
    expect(peer.receivedBytes).toBeLessThan(sent)
  })

  it('is idempotent', async () => {
    const counter = leakCounter()
    const [client, server] = await tcpPair()
    const peer = new Peer(server)
    abort(client, error)
    abort(client, error)
    await peer.expectReset()
    abort(client, error)
    await counter.expectNoLeaks()
  })

  it('destroys a socket that is still connecting', async () => {
    const server = createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    const socket = connect((server.address() as AddressInfo).port, '127.0.0.1')
    abort(socket, error)
    expect(socket.destroyed).toBe(true)
    expect(socket.errored).toBe(error)
    await closed(socket)
    server.close()
  })

  it('destroys a socket that is not TCP', async () => {
    const path = join(tmpdir(), `sluice-abort-${process.pid}.sock`)
    const server = createServer((socket) => socket.on('error', () => {}).on('end', () => socket.end()).resume()).listen(path)
    await once(server, 'listening')
    const socket = connect(path)
    await once(socket, 'connect')
    abort(socket, error)
    await closed(socket)
    expect(socket.errored).toBe(error)
    server.close()
  })
})

describe('abort() of a TLS socket', () => {
  it('resets the TCP socket under it', async () => {
    const { client, server, raw } = await linkedTlsPair()
    const peer = new Peer(server)
    abort(client, error)
    await peer.expectReset()
    expect(client.destroyed).toBe(true)
    expect(raw.destroyed).toBe(true)
  })

  it('survives that others destroy what it aborted', async () => {
    const counter = leakCounter()
    for (let round = 0; round < 20; round += 1) {
      const { client, server, raw } = await linkedTlsPair()
      const peer = new Peer(server)
      client.write(Buffer.alloc(1 << 20))
      abort(client, error)
      abort(client, error)
      client.destroy()
      raw.destroy()
      process.nextTick(() => client.destroy())
      await expectCut(peer)
    }
    await counter.expectNoLeaks()
  })

  it('resets while close_notify is on its way', async () => {
    const counter = leakCounter()
    const { client, server } = await linkedTlsPair()
    const peer = new Peer(server)
    client.end()
    abort(client, error)
    await closed(client)
    await expectCut(peer)
    await counter.expectNoLeaks()
  })

  it('destroys one of which the TCP socket is not known', async () => {
    const [client, server] = await tlsPair(certificates)
    const peer = new Peer(server)
    abort(client, error)
    expect(client.destroyed).toBe(true)
    await peer.expectEnd()
    server.destroy()
  })

  it('resets the lowest socket of TLS within TLS', async () => {
    const outer = await tlsPair(certificates)
    linkRawSocket(outer[0], outer.raw[0])
    const { certPem, keyPem } = await certificates.issue()
    const server = new TLSSocket(outer[1], { isServer: true, cert: certPem, key: keyPem })
    server.on('error', () => {})
    const inner = connectTls({ socket: outer[0], servername: 'localhost', ca: certificates.ca.certPem })
    linkRawSocket(inner, outer[0])
    await once(inner, 'secureConnect')
    await once(inner, 'session')
    abort(inner, error)
    await closed(server)
    expect(server.errored).toMatchObject({ code: 'ECONNRESET' })
    expect(inner.destroyed).toBe(true)
  })

  it('fails the other end of a connection pair under it', async () => {
    const [a, b] = connectionPair()
    const { certPem, keyPem } = await certificates.issue()
    const server = new TLSSocket(b, { isServer: true, cert: certPem, key: keyPem })
    server.on('error', () => {})
    const client = connectTls({ socket: a, servername: 'localhost', ca: certificates.ca.certPem })
    linkRawSocket(client, a)
    await once(client, 'secureConnect')
    abort(client, error)
    await until(() => b.destroyed, 'the other end to fail')
    expect(b.errored).toBe(error)
    expect(client.destroyed).toBe(true)
  })
})

describe('abort() of an HTTP/2 stream', () => {
  interface StreamPair {
    readonly session: ClientHttp2Session
    readonly client: ClientHttp2Stream
    readonly server: ServerHttp2Stream
    close(): void
  }

  async function streamPair(): Promise<StreamPair> {
    const http2 = createHttp2Server().listen(0, '127.0.0.1')
    await once(http2, 'listening')
    const session = connectHttp2(`http://127.0.0.1:${(http2.address() as AddressInfo).port}`)
    const client = session.request({ ':method': 'CONNECT', ':authority': 'target.test:443' })
    const [server] = await once(http2, 'stream') as [ServerHttp2Stream]
    server.on('error', () => {})
    server.respond({ ':status': 200 })
    await once(client, 'response')
    return { session, client, server, close: () => { session.close(); http2.close() } }
  }

  it('sends RST_STREAM(CONNECT_ERROR), and its error harms nobody', async () => {
    const counter = leakCounter()
    const { client, server, close } = await streamPair()
    abort(client, error)
    await closed(server)
    expect(server.rstCode).toBe(10)
    abort(client, error)
    close()
    await counter.expectNoLeaks()
  })

  it('leaves the session and its other streams alone', async () => {
    const { session, client, close } = await streamPair()
    const other = session.request({ ':method': 'CONNECT', ':authority': 'other.test:443' })
    abort(client, error)
    await closed(client)
    expect(other.destroyed).toBe(false)
    expect(session.closed).toBe(false)
    other.close()
    close()
  })
})

describe('abort() of other streams', () => {
  it('fails the other end of a connection pair with the same error', () => {
    const [a, b] = connectionPair()
    abort(a, error)
    expect(a.errored).toBe(error)
    expect(b.errored).toBe(error)
  })

  it('destroys any other stream, and its error harms nobody', async () => {
    const stream = new Duplex({ read() {}, write(_chunk, _encoding, done) { done() } })
    abort(stream, error)
    expect(stream.errored).toBe(error)
    await new Promise(setImmediate)
  })
})
