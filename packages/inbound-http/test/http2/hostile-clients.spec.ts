import { FLAG, until } from '@sluice/testkit'
import { describe, expect, it } from 'vitest'
import { refuseStream } from '../../src/http2/answer-stream.js'
import { PREFACE, RawClient } from './raw-client.js'
import { clientOn, connectTo, serveHttp2 } from './served-http2.js'
import type { ServerHttp2Stream } from 'node:http2'

const MAX_STREAMS = 256
const REFUSED_STREAM = 7
const CANCEL = 8
const ENHANCE_YOUR_CALM = 11
const STREAM_WINDOW_BYTES = 4 * 1_048_576
const SESSION_WINDOW_BYTES = 64 * 1_048_576
const NOT_HTTP2 = ['GET / HTTP/1.1\r\nHost: a\r\n\r\n', '\x05\x01\x00', 'x'.repeat(70_000)]

describe('HttpInbound and what HTTP/2 clients may do to it', () => {
  it('P28 refuses more than 256 tunnels at once unprocessed, and takes others when some have ended', async () => {
    await using served = await serveHttp2()
    const client = new RawClient(served.socket)
    // It does not know of the limit yet.
    client.raw(PREFACE)
    client.settings()
    for (let index = 0; index <= MAX_STREAMS; index++) client.connect(1 + index * 2)
    expect(await client.expectReset(1 + MAX_STREAMS * 2)).toBe(REFUSED_STREAM)
    await until(() => served.sessions.length === MAX_STREAMS, 'the others')
    client.rst(1, CANCEL)
    client.connect(1 + (MAX_STREAMS + 1) * 2)
    await served.session(MAX_STREAMS)
  })

  it('T8 lets a client send 4 MiB ahead in a stream, and a tunnel whose target takes nothing holds up no other', async () => {
    await using served = await serveHttp2()
    const client = clientOn(served)
    const [stalled, lively] = [connectTo(client), connectTo(client)]
    const { link } = await served.session(0)
    link.open()
    ;(await served.session(1)).echo()
    await stalled.answered()
    expect(client.remoteSettings).toMatchObject({ initialWindowSize: STREAM_WINDOW_BYTES, maxConcurrentStreams: MAX_STREAMS })
    stalled.stream.write(Buffer.alloc(2 * STREAM_WINDOW_BYTES))
    const left = (): number => client.state.remoteWindowSize ?? 0
    await until(() => left() === SESSION_WINDOW_BYTES - STREAM_WINDOW_BYTES, () => `the stream's window to be full: ${left()} are left`)
    lively.stream.write('unharmed')
    await lively.receives('unharmed')
  })

  it('cuts a client that sends no SETTINGS within handshakeMs', async () => {
    await using served = await serveHttp2({}, { handshakeMs: 100 })
    await served.handled
    expect(served.connection.destroyed).toBe(true)
    expect(served.log).toEqual([expect.objectContaining({ level: 'debug' })])
    expect(served.log[0]?.message).toMatch(/no SETTINGS within 100 ms/)
  })

  it.each(NOT_HTTP2)('turns a client away that speaks no HTTP/2: %.20s', async (bytes) => {
    await using served = await serveHttp2({}, { handshakeMs: 200 })
    served.socket.resume().write(bytes)
    await served.handled
    expect(served.connection.destroyed).toBe(true)
    expect(served.sessions).toHaveLength(0)
  })

  it('survives a client that resets within the preface', async () => {
    await using served = await serveHttp2()
    served.socket.write('PRI * HTTP/2.0\r\n')
    served.socket.destroy()
    await served.handled
  })

  it('refuses a request of more fields than Node counts, and the session lives', async () => {
    await using served = await serveHttp2()
    const client = new RawClient(served.socket)
    client.hello()
    client.connect(1, 'target.test:443', Array.from({ length: 300 }, (_, index) => [`x-${index}`, 'y']))
    expect(await client.expectReset(1)).toBe(ENHANCE_YOUR_CALM)
    client.connect(3)
    await served.session()
  })

  it('T9 gives a client up whose header block never ends', async () => {
    await using served = await serveHttp2()
    const client = new RawClient(served.socket)
    client.hello()
    client.headers(1, [[':method', 'CONNECT'], [':authority', 'target.test:443']], { endHeaders: false })
    for (let index = 0; index < 5_000 && !served.connection.destroyed; index++) {
      client.continuation(1, [[`x-${index}`, 'y'.repeat(200)]], { endHeaders: false })
      if (index % 100 === 0) await new Promise(setImmediate)
    }
    await served.handled
    expect(served.sessions).toHaveLength(0)
  })

  it('takes no end of a header block that came apart for a second request', async () => {
    await using served = await serveHttp2()
    const client = new RawClient(served.socket)
    client.hello()
    client.headers(1, [[':method', 'CONNECT']], { endHeaders: false })
    client.continuation(1, [[':authority', 'target.test:443']])
    expect((await served.session()).request.target.host).toBe('target.test')
  })

  it('refuses CONNECT with a scheme or path, which has none (RFC 9113 §8.5)', async () => {
    await using served = await serveHttp2()
    const client = new RawClient(served.socket)
    client.hello()
    client.headers(1, [[':method', 'CONNECT'], [':scheme', 'https'], [':path', '/'], [':authority', 'target.test:443']])
    expect(await client.expectReset(1)).toBe(1)
    client.headers(3, [[':method', 'CONNECT']])
    expect(await client.expectReset(3)).toBe(1)
    expect(served.sessions).toHaveLength(0)
  })

  it('gives up a refusal that its client takes no byte of', async () => {
    await using served = await serveHttp2()
    const client = new RawClient(served.socket)
    client.raw(PREFACE)
    client.settings({ initialWindowSize: 0 })
    client.settingsAck()
    client.connect(1)
    const { link } = await served.session()
    refuseStream(link.reader as ServerHttp2Stream, { status: 403, fields: [], body: 'no' }, 50)
    expect(await client.expectReset(1)).toBe(CANCEL)
    expect(client.of(1, 'HEADERS')[0]?.flags).toBe(FLAG.END_HEADERS)
  })
})
