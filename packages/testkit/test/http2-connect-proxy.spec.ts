import { once } from 'node:events'
import { connect, type ClientHttp2Session, type ClientHttp2Stream, type IncomingHttpHeaders } from 'node:http2'
import { afterAll, describe, expect, it } from 'vitest'
import {
  closedPort, connectTlsTo, createCertificates, http2ConnectProxy, leakCounter, pattern, Peer, startTarget, until,
  type ConnectProxy, type Http2ConnectProxyOptions, type TargetKind,
} from '../src/index.js'

const certificates = await createCertificates()
const tls = await certificates.issue()
const open: (() => unknown)[] = []

afterAll(async () => {
  for (const close of open) await close()
})

async function dial(options: Partial<Http2ConnectProxyOptions> = {}): Promise<{ proxy: ConnectProxy, session: ClientHttp2Session }> {
  const proxy = await http2ConnectProxy({ tls: { ...tls }, ...options })
  const socket = await connectTlsTo(proxy.port, certificates, { alpn: ['h2'] })
  const session = connect('https://localhost', { createConnection: () => socket })
  session.on('error', () => {})
  open.push(() => { session.destroy() }, () => proxy.close())
  return { proxy, session }
}

async function target(kind: TargetKind): Promise<Awaited<ReturnType<typeof startTarget>>> {
  const started = await startTarget(kind)
  open.push(() => started.close())
  return started
}

function request(session: ClientHttp2Session, port: number, fields = {}): ClientHttp2Stream {
  return session.request({ ':method': 'CONNECT', ':authority': `127.0.0.1:${port}`, ...fields }, { endStream: false }).on('error', () => {})
}

async function status(stream: ClientHttp2Stream): Promise<IncomingHttpHeaders[':status']> {
  const [fields] = await once(stream, 'response') as [IncomingHttpHeaders]
  return fields[':status']
}

describe('http2ConnectProxy()', () => {
  it('carries many tunnels over one connection, and passes ends on', async () => {
    const { proxy, session } = await dial()
    const { port } = await target('late-reply')
    const streams = Array.from({ length: 20 }, () => request(session, port))
    expect(await Promise.all(streams.map(status))).toEqual(Array(20).fill(200))
    for (const [index, stream] of streams.entries()) {
      const peer = new Peer(stream)
      await peer.send(pattern(1_000, index))
      await peer.fin()
      await peer.expect(/^late 1000 [0-9a-f]{64}$/)
      await peer.expectEnd()
    }
    expect(proxy.connections).toBe(1)
    expect(proxy.requests).toEqual(Array(20).fill(`CONNECT 127.0.0.1:${port}`))
  })

  it('sends the first bytes of the target with its answer', async () => {
    const { session } = await dial({ behaviour: 'glue' })
    const stream = request(session, (await target('banner')).port)
    expect(await status(stream)).toBe(200)
    await new Peer(stream).expect('SSH-2.0-test\r\n')
  })

  it('resets the target when the client resets its stream', async () => {
    const { session } = await dial()
    const echo = await target('echo')
    const stream = request(session, echo.port)
    expect(await status(stream)).toBe(200)
    // Not by close(): Node sends END_STREAM before its RST_STREAM then.
    stream.destroy(new Error('cut'))
    const seen = await echo.connection(0)
    await until(() => seen.closed, 'the target to close')
    expect([seen.resetByPeer, seen.ended]).toEqual([true, false])
  })

  it.each<[string, Partial<Http2ConnectProxyOptions>, Record<string, string>, number]>([
    ['refuses as it is told', { behaviour: 'refuse', status: 429 }, {}, 429],
    ['asks for credentials', { auth: { user: 'u', pass: 'p' } }, {}, 407],
    ['takes the right ones', { auth: { user: 'u', pass: 'p' } }, { 'proxy-authorization': 'Basic dTpw' }, 200],
  ])('%s', async (_, options, fields, wanted) => {
    const { session } = await dial(options)
    expect(await status(request(session, (await target('echo')).port, fields))).toBe(wanted)
  })

  it('answers 502 where nobody listens', async () => {
    const { session } = await dial()
    expect(await status(request(session, await closedPort()))).toBe(502)
  })

  it('stalls, and close() leaves nothing', async () => {
    const counter = leakCounter()
    const { proxy, session } = await dial({ behaviour: 'stall' })
    const stream = request(session, 1)
    let answered = false
    stream.once('response', () => { answered = true })
    await until(() => proxy.requests.length === 1, 'the request')
    expect(answered).toBe(false)
    await proxy.close()
    session.destroy()
    await counter.expectNoLeaks()
  })
})
