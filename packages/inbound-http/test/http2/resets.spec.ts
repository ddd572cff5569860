import { DEFAULT_POLICY, type Connection, type Link } from '@sluice/core'
import { reset, until } from '@sluice/testkit'
import { connectionPair, relay } from '@sluice/transport'
import { describe, expect, it } from 'vitest'
import { RawClient } from './raw-client.js'
import { peek, serveHttp2, type Served } from './served-http2.js'

const NO_ERROR = 0
const CANCEL = 8
const CONNECT_ERROR = 10
const CODES = [NO_ERROR, 1, 5, 7, CANCEL, CONNECT_ERROR, 13, 0xdead]

function rawClientOf({ socket }: Served): RawClient {
  const client = new RawClient(socket)
  client.hello()
  return client
}

interface Relayed {
  readonly target: Connection
  /** What `relay` rejected with; `undefined`: it resolved. */
  readonly outcome: Promise<unknown>
}

/** Opens the link and relays it to a target that the test plays. */
function relayed(link: Link): Relayed {
  const [near, target] = connectionPair()
  link.open()
  const record = { startedAt: 0, uplinkBytes: 0, downlinkBytes: 0, attempts: 0 }
  const outcome = relay(link, near, { ...DEFAULT_POLICY, record, signal: new AbortController().signal })
    .then(() => undefined, (error: unknown) => error)
  return { target: target.resume(), outcome }
}

describe('A client\'s reset over HTTP/2', () => {
  it.each(CODES)('N3 RST_STREAM(%i) before the answer closes link.reader, read or not', async (code) => {
    await using served = await serveHttp2()
    const client = rawClientOf(served)
    for (const [index, payload] of ['', 'payload'].entries()) {
      const streamId = index * 2 + 1
      client.connect(streamId)
      const { link } = await served.session(index)
      if (payload !== '') {
        client.data(streamId, payload)
        await until(() => link.reader.readableLength > 0, 'the payload')
      }
      let closed = false
      link.reader.once('close', () => { closed = true })
      client.rst(streamId, code)
      await until(() => closed, `link.reader to be closed with ${payload.length} bytes unread`)
    }
  })

  it.each(CODES)('N4 C148 RST_STREAM(%i) in an open tunnel is told to the target as a cut, never as an end', async (code) => {
    await using served = await serveHttp2()
    const client = rawClientOf(served)
    client.connect(1)
    const { target, outcome } = relayed((await served.session()).link)
    let ended = false
    target.once('end', () => { ended = true })
    client.data(1, 'half of a ')
    await until(() => client.of(1, 'HEADERS').length > 0, 'the answer')
    client.rst(1, code)
    expect(await outcome).toMatchObject({ code: 'ABORT', side: 'downstream' })
    expect(target.errored).toMatchObject({ code: 'ABORT' })
    expect(ended).toBe(false)
  })

  it('N4 RST_STREAM behind the target\'s end is a cut, too', async () => {
    await using served = await serveHttp2()
    const client = rawClientOf(served)
    client.connect(1)
    const { target, outcome } = relayed((await served.session()).link)
    target.end('all')
    await until(() => client.hasEnd(1), 'END_STREAM')
    client.data(1, 'half of a ')
    client.rst(1, CANCEL)
    expect(await outcome).toMatchObject({ code: 'ABORT', side: 'downstream' })
    expect(client.received(1)).toBe('all')
  })

  it('C154 RST_STREAM right behind the request cancels what was asked for', async () => {
    await using served = await serveHttp2()
    const client = rawClientOf(served)
    for (const streamId of [1, 3]) {
      client.socket.cork()
      client.connect(streamId)
      client.rst(streamId, streamId === 1 ? NO_ERROR : CANCEL)
      client.socket.uncork()
    }
    for (const index of [0, 1]) {
      const { link } = await served.session(index)
      await until(() => link.reader.destroyed, 'link.reader to be closed')
    }
  })

  it('C154 asks for nothing when a request and its reset were read before', async () => {
    await using served = await serveHttp2({}, {}, peek)
    served.socket.cork()
    const client = rawClientOf(served)
    for (const streamId of [1, 3]) {
      client.connect(streamId)
      client.rst(streamId, streamId === 1 ? NO_ERROR : CANCEL)
    }
    served.socket.uncork()
    client.ping()
    await until(() => client.of(0, 'PING').length > 0, 'the answer to PING')
    expect(served.sessions).toHaveLength(0)
  })

  it('leaves the other tunnels of the connection alone', async () => {
    await using served = await serveHttp2()
    const client = rawClientOf(served)
    client.connect(1)
    client.connect(3)
    const cut = relayed((await served.session(0)).link)
    ;(await served.session(1)).echo()
    client.rst(1, CANCEL)
    await cut.outcome
    client.data(3, 'unharmed')
    await until(() => client.received(3) === 'unharmed', 'the echo')
  })

  it.each(['FIN', 'RST'])('C137 a TCP %s of the connection cuts all its sessions, open or not', async (how) => {
    await using served = await serveHttp2()
    const client = rawClientOf(served)
    for (const streamId of [1, 3, 5]) client.connect(streamId)
    const tunnels = [relayed((await served.session(0)).link), relayed((await served.session(1)).link)]
    const { link: waiting } = await served.session(2)
    client.data(5, 'unread')
    await until(() => waiting.reader.readableLength > 0, 'the payload')
    if (how === 'FIN') served.socket.end()
    else reset(served.socket)
    for (const { outcome, target } of tunnels) {
      expect(await outcome).toMatchObject({ code: 'ABORT', side: 'downstream' })
      expect(target.errored).not.toBeNull()
    }
    await until(() => waiting.reader.destroyed, 'the session without an answer to be cancelled')
    await served.handled
    expect(served.connection.destroyed).toBe(true)
  })
})

describe('A cut told to a client over HTTP/2', () => {
  it('P27 link.abort() is RST_STREAM(CONNECT_ERROR) before the answer', async () => {
    await using served = await serveHttp2()
    const client = rawClientOf(served)
    client.connect(1)
    const { link } = await served.session()
    link.abort(new Error('cut'))
    link.abort(new Error('cut'))
    expect(await client.expectReset(1)).toBe(CONNECT_ERROR)
    expect(client.hasEnd(1)).toBe(false)
  })

  it('P27 link.abort() is RST_STREAM(CONNECT_ERROR) in an open tunnel, with no END_STREAM before it', async () => {
    await using served = await serveHttp2()
    const client = rawClientOf(served)
    client.connect(1)
    client.connect(3)
    const { link } = await served.session(0)
    ;(await served.session(1)).echo()
    link.open()
    link.writer.write('half of a ')
    await until(() => client.received(1) === 'half of a ', 'the half')
    // More than the client's window takes.
    link.writer.write(Buffer.alloc(200_000))
    link.abort(new Error('cut'))
    expect(await client.expectReset(1)).toBe(CONNECT_ERROR)
    expect(client.hasEnd(1)).toBe(false)
    client.windowUpdate(0, 1_000_000)
    client.data(3, 'unharmed')
    await until(() => client.received(3) === 'unharmed', 'the echo')
  })

  it('link.abort() lets go of a stream that both sides have ended, with bytes that nobody took', async () => {
    await using served = await serveHttp2()
    const client = rawClientOf(served)
    client.connect(1)
    const { link } = await served.session()
    link.open()
    link.writer.end()
    await until(() => client.hasEnd(1), 'END_STREAM')
    client.data(1, Buffer.alloc(16_000), { endStream: true })
    await until(() => link.reader.readableLength > 0, 'the bytes')
    link.abort(new Error('given up'))
    await until(() => link.reader.destroyed, 'the stream to be closed')
  })

  it('C147 a target\'s reset is RST_STREAM, with no END_STREAM before it', async () => {
    await using served = await serveHttp2()
    const client = rawClientOf(served)
    client.connect(1)
    const { target, outcome } = relayed((await served.session()).link)
    target.write('half of a ')
    await until(() => client.received(1) === 'half of a ', 'the half')
    target.destroy(new Error('reset'))
    expect(await outcome).toMatchObject({ code: 'ABORT', side: 'upstream' })
    expect(await client.expectReset(1)).toBe(CONNECT_ERROR)
    expect(client.hasEnd(1)).toBe(false)
  })
})
