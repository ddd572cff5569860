import { getEventListeners, once } from 'node:events'
import { connect as connectHttp2, createServer as createHttp2Server } from 'node:http2'
import type { AddressInfo } from 'node:net'
import { describe, expect, it } from 'vitest'
import { DEFAULT_POLICY, InstanceEvents, ProxyError, tcp, type Context, type Link, type OutboundHandler } from '@sluice/core'
import { connectTo, createCertificates, lateReply, leakCounter, sha256, startTarget, until } from '@sluice/testkit'
import { abort } from '../src/abort.js'
import { relay } from '../src/relay.js'
import { TcpDialer } from '../src/tcp-dialer.js'
import { ThroughDialer } from '../src/through-dialer.js'
import { tlsClientOptions } from '../src/tls-client-options.js'
import { TlsDialer } from '../src/tls-dialer.js'
import { rejection } from './rejection.js'

const never = new AbortController().signal
const certificates = await createCertificates()
const server = await certificates.issue()

function handler(parts: Partial<OutboundHandler>): () => OutboundHandler {
  return () => ({ tag: 'inner', protocol: 'test', process: () => Promise.reject(new Error('not to be called')), ...parts })
}

/** Hands its tunnel over. */
const tunnel = handler({ connect: (ctx) => new TcpDialer().dial(ctx.target, { signal: ctx.signal }) })

/** Keeps its tunnel to itself. */
const closed = handler({
  async process(ctx, link) {
    const connection = await new TcpDialer().dial(ctx.target, { signal: ctx.signal })
    link.open()
    await relay(link, connection, { ...DEFAULT_POLICY, record: ctx.record, signal: ctx.signal })
  },
})

function withTls(through: () => OutboundHandler): TlsDialer {
  const verify = { usage: 'verify' as const, certificate: certificates.ca.certPem.split('\n') }
  const options = tlsClientOptions({ disableSystemRoot: true, certificates: [verify] }, [])
  if (options === undefined) throw new Error('The settings have faults')
  return new TlsDialer(new ThroughDialer(through), options, new InstanceEvents())
}

describe.each([
  { title: 'an outbound that hands its tunnel over', through: tunnel },
  { title: 'an outbound that only processes', through: closed },
])('ThroughDialer with $title', ({ through }) => {
  it('dial() carries bytes and passes a half-close on', async () => {
    await using target = await startTarget('late-reply')
    const connection = await new ThroughDialer(through).dial(target.destination, { signal: never })
    connection.end('request')
    expect(String((await once(connection, 'data'))[0])).toBe(lateReply(7, sha256(Buffer.from('request'))))
    connection.destroy()
  })

  it('dial() carries TLS on top, checked against what is dialled', async () => {
    await using target = await startTarget('echo', { tls: server })
    const connection = await withTls(through).dial(tcp('localhost', target.port), { signal: never })
    connection.write('hello')
    expect(String((await once(connection, 'data'))[0])).toBe('hello')
    connection.end()
    await once(connection.resume(), 'end')
    connection.destroy()
    const elsewhere = tcp('127.0.0.1', target.port)
    const other = await certificates.issue({ names: ['other.test'] })
    await using stranger = await startTarget('echo', { tls: other })
    expect(await rejection(withTls(through).dial({ ...elsewhere, port: stranger.port }, { signal: never }))).toMatchObject({ code: 'CERT', phase: 'tls' })
  })

  it('dial() gives a connection whose abort resets the other end, also under TLS', async () => {
    await using plain = await startTarget('banner')
    await using secure = await startTarget('banner', { tls: server })
    for (const [target, dialler] of [[plain, new ThroughDialer(through)], [secure, withTls(through)]] as const) {
      const connection = await dialler.dial(tcp('localhost', target.port), { signal: never })
      await once(connection, 'data')
      abort(connection, new Error('cut'))
      const seen = await target.connection(0)
      await until(() => seen.closed, 'the other end to be closed')
      expect(seen.resetByPeer).toBe(true)
    }
  })

  it('dial() gives a connection that harms nobody when the other end resets it', async () => {
    await using target = await startTarget('reset')
    const connection = await new ThroughDialer(through).dial(target.destination, { signal: never })
    connection.write('x')
    await new Promise((resolve) => connection.once('close', resolve))
    expect(connection.errored).toBeInstanceOf(Error)
  })

  it('dial() rejects with the error of the other outbound as it is', async () => {
    const error = new ProxyError('STATUS', 'Refused with 403', { status: 403, phase: 'connect' })
    const refusing = handler({ ...through(), ...(through().connect ? { connect: () => Promise.reject(error) } : { process: () => Promise.reject(error) }) })
    expect(await rejection(new ThroughDialer(refusing).dial(tcp('127.0.0.1', 9), { signal: never }))).toBe(error)
  })

  it('dial() rejects with the reason of the signal and leaves nothing', async () => {
    await using target = await startTarget('sink')
    const counter = leakCounter()
    const before = AbortSignal.abort('before')
    expect(await rejection(new ThroughDialer(through).dial(target.destination, { signal: before }))).toBe('before')
    for (let index = 0; index < 200; index += 1) {
      const controller = new AbortController()
      const dialled = rejection(new ThroughDialer(through).dial(target.destination, { signal: controller.signal }))
      if (index % 2 === 1) await Promise.resolve()
      controller.abort('meanwhile')
      expect(await dialled).toBe('meanwhile')
      expect(getEventListeners(controller.signal, 'abort')).toEqual([])
    }
    await counter.expectNoLeaks()
  })

  it('dial() leaves no listener on the signal, which afterwards means nothing to the connection', async () => {
    await using target = await startTarget('echo')
    const controller = new AbortController()
    const connection = await new ThroughDialer(through).dial(target.destination, { signal: controller.signal })
    expect(getEventListeners(controller.signal, 'abort')).toEqual([])
    controller.abort()
    connection.write('still here')
    expect(String((await once(connection, 'data'))[0])).toBe('still here')
    connection.destroy()
  })
})

describe('ThroughDialer', () => {
  it('dial() makes a session of its own, without client and user', async () => {
    const seen: Context[] = []
    const recording = handler({
      connect(ctx) {
        seen.push(ctx)
        return connectTo(ctx.target.port)
      },
    })
    await using target = await startTarget('sink')
    const client: Context = {
      id: 'client', target: tcp('site.test', 443), inboundTag: 'in', user: { name: 'ann', level: 1 }, signal: never,
      record: { startedAt: 0, uplinkBytes: 0, downlinkBytes: 0, attempts: 0 },
    }
    const { signal } = new AbortController()
    const dialler = new ThroughDialer(recording)
    for (const session of [client, undefined]) {
      const connection = await dialler.dial(target.destination, { signal, ...(session && { session }) })
      connection.destroy()
    }
    expect(new Set(['client', ...seen.map(({ id }) => id)]).size).toBe(3)
    for (const ctx of seen) {
      expect(ctx).toMatchObject({ target: target.destination, inboundTag: '', record: { uplinkBytes: 0, downlinkBytes: 0, attempts: 0 } })
      expect(ctx.signal).toBe(signal)
      expect([ctx.user, ctx.source]).toEqual([undefined, undefined])
    }
  })

  it('dial() asks for the outbound only then', async () => {
    let asked = 0
    const dialler = new ThroughDialer(() => {
      asked += 1
      return tunnel()
    })
    expect(asked).toBe(0)
    await using target = await startTarget('sink')
    const connection = await dialler.dial(target.destination, { signal: never })
    expect(asked).toBe(1)
    connection.destroy()
  })

  it('dial() rejects with INTERNAL when process ends without opening the link', async () => {
    const links: Link[] = []
    const silent = handler({
      async process(_ctx, link) {
        links.push(link)
      },
    })
    expect(await rejection(new ThroughDialer(silent).dial(tcp('127.0.0.1', 9), { signal: never }))).toMatchObject({
      code: 'INTERNAL', message: 'Outbound "inner" ended without opening the link',
    })
    expect(links.map(({ reader }) => reader.destroyed)).toEqual([true])
  })

  it('dial() carries TLS over a stream of an HTTP/2 connection, which keeps its other streams', async () => {
    await using target = await startTarget('echo', { tls: server })
    const proxy = createHttp2Server().on('stream', (stream) => {
      void connectTo(target.port).then((socket) => {
        stream.respond({ ':status': 200 })
        stream.on('error', () => {}).pipe(socket).pipe(stream)
      })
    })
    await once(proxy.listen(0, '127.0.0.1'), 'listening')
    const session = connectHttp2(`http://127.0.0.1:${(proxy.address() as AddressInfo).port}`)
    const streaming = handler({
      async connect({ target: { host, port } }) {
        const stream = session.request({ ':method': 'CONNECT', ':authority': `${host}:${port}` })
        await once(stream, 'response')
        return stream
      },
    })
    const one = await withTls(streaming).dial(tcp('localhost', target.port), { signal: never })
    const other = await withTls(streaming).dial(tcp('localhost', target.port), { signal: never })
    abort(one, new Error('cut'))
    other.write('hello')
    expect(String((await once(other, 'data'))[0])).toBe('hello')
    other.destroy()
    session.destroy()
    proxy.close()
  })
})
