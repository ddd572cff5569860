import { once } from 'node:events'
import { connect, constants, sensitiveHeaders, type ClientHttp2Session, type ClientHttp2Stream } from 'node:http2'
import { afterEach, describe, expect, it } from 'vitest'
import {
  answerConnects, connectTo, createCertificates, FLAG, pattern, rawHttp2Upstream, sha256, until,
  type AnsweredTunnel, type RawHttp2Upstream,
} from '../../src/index.js'

const sessions = new Set<ClientHttp2Session>()

afterEach(() => {
  for (const session of sessions) session.destroy()
  sessions.clear()
})

function visit({ port }: RawHttp2Upstream, settings = {}): ClientHttp2Session {
  const session = connect(`http://127.0.0.1:${port}`, { settings, maxSessionMemory: 1_000 })
  session.on('error', () => {})
  sessions.add(session)
  return session
}

function connectThrough(session: ClientHttp2Session, authority = 'target.test:443', fields = {}): ClientHttp2Stream {
  const stream = session.request({ ':method': 'CONNECT', ':authority': authority, ...fields })
  stream.on('error', () => {})
  return stream
}

async function statusOf(stream: ClientHttp2Stream): Promise<number> {
  const [headers] = await once(stream, 'response') as [Record<string, unknown>]
  return Number(headers[':status'])
}

async function allOf(stream: ClientHttp2Stream): Promise<Buffer> {
  const chunks: Buffer[] = []
  stream.on('data', (chunk: Buffer) => chunks.push(chunk))
  await once(stream, 'end')
  return Buffer.concat(chunks)
}

describe('rawHttp2Upstream()', () => {
  it('decodes a request, with its order of fields and what must never be indexed', async () => {
    await using upstream = await rawHttp2Upstream(async (peer) => {
      await peer.handshake()
      const { streamId } = await peer.expectRequest()
      peer.headers(streamId, [[':status', '200']])
    })
    const secret = { 'proxy-authorization': 'Basic eDp5', [sensitiveHeaders]: ['proxy-authorization'] }
    const stream = connectThrough(visit(upstream), 'a.test:443', secret)
    expect(await statusOf(stream)).toBe(200)
    const [request] = upstream.peers[0]?.requests ?? []
    expect(request).toMatchObject({ streamId: 1, method: 'CONNECT', authority: 'a.test:443', endStream: false })
    expect(request?.fields).toEqual([
      { name: ':method', value: 'CONNECT', neverIndexed: false },
      { name: ':authority', value: 'a.test:443', neverIndexed: false },
      { name: 'proxy-authorization', value: 'Basic eDp5', neverIndexed: true },
    ])
  })

  it('decodes every printable byte in plain and in Huffman code, and repeated fields from the dynamic table', async () => {
    await using upstream = await rawHttp2Upstream((peer) => answerConnects(peer))
    const session = visit(upstream)
    const values = Array.from({ length: 95 }, (_, index) => `aeiou${String.fromCharCode(32 + index)}stacc`)
    const high = Array.from({ length: 128 }, (_, index) => `${'a'.repeat(40)}${String.fromCharCode(128 + index)}`)
    for (let round = 0; round < 3; round++) {
      for (const value of [...values, ...high]) {
        const stream = connectThrough(session, 'a.test:1', { 'x-value': value })
        expect(await statusOf(stream)).toBe(200)
        expect(upstream.peers[0]?.requests.at(-1)?.fields.find(({ name }) => name === 'x-value')?.value).toBe(value)
        stream.close()
      }
    }
  })

  it('knows the static table', async () => {
    await using upstream = await rawHttp2Upstream((peer) => answerConnects(peer))
    const names = [
      'accept-charset', 'accept-encoding', 'age', 'via', 'www-authenticate', 'proxy-authenticate', 'proxy-authorization', 'link', 'date',
      'user-agent', 'set-cookie',
    ]
    const fields = Object.fromEntries(names.map((name) => [name, `value of ${name}`]))
    const stream = connectThrough(visit(upstream), 'a.test:1', { ...fields, 'accept-encoding': 'gzip, deflate' })
    await statusOf(stream)
    const seen = Object.fromEntries(upstream.peers[0]?.requests[0]?.fields.map(({ name, value }) => [name, value]) ?? [])
    expect(seen).toMatchObject({ ...fields, 'accept-encoding': 'gzip, deflate' })
  })

  it('joins a header block that goes on in CONTINUATION frames', async () => {
    await using upstream = await rawHttp2Upstream((peer) => answerConnects(peer))
    const long = 'x~'.repeat(20_000)
    await statusOf(connectThrough(visit(upstream), 'a.test:1', { long }))
    expect(upstream.peers[0]?.requests[0]?.fields.find(({ name }) => name === 'long')?.value).toBe(long)
    expect(upstream.peers[0]?.frames.some(({ type }) => type === 9)).toBe(true)
  })

  it('sends padding, CONTINUATION, unknown frames and settings that a client understands', async () => {
    await using upstream = await rawHttp2Upstream(async (peer) => {
      await peer.handshake([[3, 7], [0xfafa, 1]])
      const { streamId } = await peer.expectRequest()
      peer.frame({ type: 0xfa, streamId, payload: Buffer.from('unknown') })
      peer.headers(streamId, [[':status', '200']], { endHeaders: false, padding: 9 })
      peer.continuation(streamId, [['x-more', 'yes']])
      peer.data(streamId, 'padded', { padding: 200 })
      peer.data(streamId, '', { endStream: true })
      await peer.closed
    })
    const session = visit(upstream)
    const stream = connectThrough(session)
    const [headers] = await once(stream, 'response') as [Record<string, unknown>]
    expect(headers['x-more']).toBe('yes')
    expect(session.remoteSettings.maxConcurrentStreams).toBe(7)
    expect(String(await allOf(stream))).toBe('padded')
  })

  it('shows resets, GOAWAY, PING and windows of the client, and takes them one by one', async () => {
    await using upstream = await rawHttp2Upstream(async (peer) => {
      await peer.handshake()
      await peer.expectRequest()
      peer.ping(Buffer.from('12345678'))
      const pong = await peer.expectFrame('PING', ({ flags }) => (flags & FLAG.ACK) !== 0)
      expect(String(pong.payload)).toBe('12345678')
      peer.goaway(1, constants.NGHTTP2_NO_ERROR, 'bye')
      expect(await peer.expectReset(1)).toBe(constants.NGHTTP2_CANCEL)
      const update = await peer.expectFrame('WINDOW_UPDATE', ({ streamId }) => streamId === 0)
      expect(update.payload.readUInt32BE(0)).toBe(1_048_576 - 65_535)
      peer.fin()
    })
    const session = visit(upstream, { initialWindowSize: 100_000 })
    session.once('connect', () => session.setLocalWindowSize(1_048_576))
    const stream = connectThrough(session)
    const [code, lastId] = await once(session, 'goaway') as [number, number]
    expect([code, lastId]).toEqual([0, 1])
    stream.close(constants.NGHTTP2_CANCEL)
    await upstream.peers[0]?.closed
    await expect(upstream.close()).resolves.toBeUndefined()
  })

  it('speaks over TLS and agrees on h2', async () => {
    const certificates = await createCertificates()
    await using upstream = await rawHttp2Upstream((peer) => answerConnects(peer), { tls: await certificates.issue() })
    const session = connect(`https://localhost:${upstream.port}`, { ca: certificates.ca.certPem, family: 4 } as object)
    sessions.add(session)
    expect(await statusOf(connectThrough(session))).toBe(200)
    expect(session.alpnProtocol).toBe('h2')
  })

  it('says what was wrong when a script fails, and resets the connection', async () => {
    const upstream = await rawHttp2Upstream(async (peer) => {
      await peer.handshake()
      await peer.expectRequest()
    }, { stepMs: 50 })
    const session = visit(upstream)
    const [error] = await once(session, 'error') as [NodeJS.ErrnoException]
    expect(error.code).toBe('ECONNRESET')
    await expect(upstream.close()).rejects.toThrow(/^Cannot expect a request within 50 ms: got SETTINGS\/0/)
  })

  it('refuses a client that does not speak HTTP/2', async () => {
    const upstream = await rawHttp2Upstream((peer) => peer.closed)
    const socket = await connectTo(upstream.port)
    socket.on('error', () => {})
    socket.write('CONNECT a:1 HTTP/1.1\r\n\r\n')
    await until(() => socket.destroyed, 'the reset')
    expect(upstream.peers[0]?.ending).toBe('the client sent no HTTP/2 preface')
    await upstream.close()
  })
})

describe('answerConnects()', () => {
  it('sends back 8 MiB in each of 4 tunnels, within the windows of the client', async () => {
    await using upstream = await rawHttp2Upstream((peer) => answerConnects(peer))
    const session = visit(upstream)
    const streams = Array.from({ length: 4 }, () => connectThrough(session))
    const bytes = pattern(8 * 1_048_576)
    const echoes = streams.map((stream) => allOf(stream))
    for (const stream of streams) stream.end(bytes)
    for (const echo of await Promise.all(echoes)) expect(sha256(echo)).toBe(sha256(bytes))
    expect(upstream.peers[0]?.openStreams).toHaveLength(0)
  })

  it('waits for a window that the client did not open', async () => {
    const onTunnel = (tunnel: AnsweredTunnel): void => tunnel.send(pattern(300_000), true)
    await using upstream = await rawHttp2Upstream((peer) => answerConnects(peer, { onTunnel }))
    const stream = connectThrough(visit(upstream, { initialWindowSize: 1_000 }))
    await statusOf(stream)
    expect((await allOf(stream)).length).toBe(300_000)
    expect(upstream.peers[0]?.frames.filter(({ type }) => type === 8).length).toBeGreaterThan(100)
  })

  it('answers only as many tunnels at once as told', async () => {
    await using upstream = await rawHttp2Upstream((peer) => answerConnects(peer, { maxAnswered: 2 }))
    const session = visit(upstream)
    const streams = Array.from({ length: 3 }, () => connectThrough(session))
    const answers = streams.map((stream) => statusOf(stream))
    await Promise.all(answers.slice(0, 2))
    expect(streams[2]?.sentHeaders[':method']).toBe('CONNECT')
    let isAnswered = false
    void answers[2]?.then(() => { isAnswered = true })
    await upstream.peers[0]?.wait(30)
    expect(isAnswered).toBe(false)
    streams[0]?.close(constants.NGHTTP2_CANCEL)
    expect(await answers[2]).toBe(200)
  })

  it('answers with the status, the fields and the delay that it is told, or not at all', async () => {
    await using upstream = await rawHttp2Upstream((peer) => answerConnects(peer, {
      delayMs: 20,
      status: ({ authority }) => (authority === 'never.test:1' ? undefined : 407),
      fields: [['proxy-authenticate', 'Basic realm="x"']],
    }))
    const session = visit(upstream)
    const never = connectThrough(session, 'never.test:1')
    const [headers] = await once(connectThrough(session), 'response') as [Record<string, unknown>]
    expect(headers).toMatchObject({ ':status': 407, 'proxy-authenticate': 'Basic realm="x"' })
    expect(never.closed).toBe(false)
  })
})
