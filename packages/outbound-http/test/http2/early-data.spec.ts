import { describe, expect, it } from 'vitest'
import type { Context, Dialer } from '@sluice/core'
import {
  answerConnects, FLAG, FRAME, pattern, scriptedUpstream, sha256, testContext, testLink,
  type AnsweredTunnel, type RawHttp2Peer, type TestLink,
} from '@sluice/testkit'
import type { HttpOutbound } from '../../src/index.js'
import { afterTest, connect, dialerOf, outboundTo, proxyOf, TARGET, until, upstreamOf, within } from './harness.js'

const EARLY = { settings: { earlyData: true } } as const
const PAYLOAD = 'client speaks first'
const MIB = 1_048_576

interface EarlySession {
  readonly link: TestLink
  readonly ctx: Context
  readonly processed: Promise<void>
}

const overTcp = dialerOf()

/** Sends back what came before the answer; `answerConnects` does what comes later. */
function sendBack({ peer, streamId, send }: AnsweredTunnel): void {
  const { data } = peer.stream(streamId)
  if (data.length > 0) send(data)
}

/** One session through the outbound. */
async function start(outbound: HttpOutbound, dialer: Dialer = overTcp): Promise<EarlySession> {
  const link = await testLink()
  const ctx = testContext({ target: TARGET })
  const processed = outbound.process(ctx, link, dialer)
  processed.catch(() => {})
  afterTest(() => link.close())
  return { link, ctx, processed }
}

/** Waits for the first request and payload behind it, in that order. @returns its stream. */
async function requestWithPayload(peer: RawHttp2Peer, bytes: number): Promise<number> {
  const { streamId } = await peer.expectRequest()
  await peer.expectData(streamId, bytes)
  const types = peer.frames.filter((frame) => frame.streamId === streamId).map(({ type }) => type)
  expect(types.slice(0, 2)).toEqual([FRAME.HEADERS, FRAME.DATA])
  return streamId
}

describe('HttpOutbound with earlyData, over HTTP/2', () => {
  it('opens at once, and sends payload with the request, before the answer', async () => {
    const upstream = await upstreamOf(async (peer) => {
      await peer.handshake()
      const streamId = await requestWithPayload(peer, PAYLOAD.length)
      peer.headers(streamId, [[':status', '200']])
      peer.data(streamId, Buffer.from('answer'))
      expect(String(await peer.expectEnd(streamId))).toBe(PAYLOAD)
      peer.data(streamId, Buffer.from(', end'), { endStream: true })
      await peer.closed
    })
    const outbound = outboundTo([upstream], EARLY)
    const { link, ctx, processed } = await start(outbound)
    await link.whenOpened
    await link.client.send(PAYLOAD)
    await link.client.expect('answer')
    await link.client.fin()
    await link.client.expect(', end')
    await link.client.expectEnd()
    await processed
    expect(ctx.record).toMatchObject({ uplinkBytes: PAYLOAD.length, downlinkBytes: 11, outcome: 'closed', attempts: 1 })
    for (const event of ['data', 'drain']) expect(link.reader.listenerCount(event)).toBe(0)
  })

  it('loses nothing of 1 MiB that begins before the answer and goes on behind it', async () => {
    const upstream = await proxyOf({ delayMs: 100, settings: { maxConcurrentStreams: 100, initialWindowSize: 100_000 }, onData: () => {} })
    const { link, ctx } = await start(outboundTo([upstream], EARLY))
    await link.client.send(pattern(MIB))
    await link.client.fin()
    await until(() => upstream.connections === 1, 'the connection')
    expect(sha256(await within(4_000, 'the end', upstream.peers[0]?.expectEnd(1) ?? Promise.reject(new Error('no peer')))))
      .toBe(sha256(pattern(MIB)))
    expect(ctx.record.uplinkBytes).toBe(MIB)
  })

  it.each([[undefined, 200], [PAYLOAD, 0]])('carries the banner of a target that speaks first (client: %s)', async (payload, delayMs) => {
    const upstream = await proxyOf({ delayMs, onTunnel: ({ send }) => send(Buffer.from('220 ready')), onData: (tunnel, bytes) => tunnel.send(bytes) })
    const { link } = await start(outboundTo([upstream], EARLY))
    if (payload !== undefined) await link.client.send(payload)
    await link.client.expect('220 ready')
    if (payload === undefined) await link.client.send('HELO')
    if (payload === undefined) await link.client.expect('HELO')
    else await upstream.peers[0]?.expectData(1, payload.length)
  })

  it('sends a client\'s end on that came before the answer', async () => {
    const upstream = await proxyOf({ delayMs: 100, onTunnel: sendBack })
    const { link, processed } = await start(outboundTo([upstream], EARLY))
    await link.client.send(PAYLOAD)
    await link.client.fin()
    await link.client.expect(PAYLOAD)
    await link.client.expectEnd()
    await processed
  })

  it.each([
    ['a status', 'STATUS', (peer: RawHttp2Peer, id: number) => peer.headers(id, [[':status', '403']], { endStream: true })],
    ['407', 'AUTH', (peer: RawHttp2Peer, id: number) => peer.headers(id, [[':status', '407']])],
    ['CONNECT_ERROR', 'STATUS', (peer: RawHttp2Peer, id: number) => peer.rst(id, 10)],
    ['NO_ERROR', 'CLOSED', (peer: RawHttp2Peer, id: number) => peer.rst(id, 0)],
    ['REFUSED_STREAM', 'REFUSED', (peer: RawHttp2Peer, id: number) => peer.rst(id, 7)],
    ['HTTP_1_1_REQUIRED', 'REFUSED', (peer: RawHttp2Peer, id: number) => peer.rst(id, 13)],
    ['GOAWAY with an error', 'CLOSED', (peer: RawHttp2Peer) => peer.goaway(0, 11)],
    ['GOAWAY before the request', undefined, (peer: RawHttp2Peer) => peer.goaway(0, 0)],
    ['the end of the connection', 'CLOSED', (peer: RawHttp2Peer) => peer.fin()],
  ])('shows a late refusal as a reset, and tries nothing else: %s', async (_, code, refuse) => {
    const upstream = await upstreamOf(async (peer) => {
      await peer.handshake()
      refuse(peer, await requestWithPayload(peer, PAYLOAD.length))
      await peer.closed
    })
    const other = await proxyOf()
    const { link, ctx, processed } = await start(outboundTo([upstream, other], EARLY))
    await link.client.send(PAYLOAD)
    await expect(processed).rejects.toMatchObject({ name: 'ProxyError', ...(code && { code }), attempts: [] })
    expect(link.abortedWith).toMatchObject({ name: 'ProxyError' })
    await until(() => link.client.resetByPeer, 'the reset')
    expect(link.client.receivedBytes).toBe(0)
    expect([ctx.record.attempts, upstream.connections, other.connections]).toEqual([1, 1, 0])
  })

  it('tries another server as long as the client was silent', async () => {
    const upstream = await upstreamOf(async (peer) => {
      await peer.handshake()
      const { streamId } = await peer.expectRequest()
      peer.rst(streamId, 7)
      peer.goaway(0, 0)
      await peer.closed
    })
    const other = await proxyOf()
    const { link, ctx } = await start(outboundTo([upstream, other], EARLY))
    await until(() => other.connections === 1, 'the other server')
    await link.client.send(PAYLOAD)
    await link.client.expect(PAYLOAD)
    expect(ctx.record.attempts).toBeGreaterThan(1)
  })

  it('tells the server of a client that was cut by RST_STREAM alone', async () => {
    const upstream = await upstreamOf(async (peer) => {
      await peer.handshake()
      const streamId = await requestWithPayload(peer, PAYLOAD.length)
      await link.client.reset()
      expect(await peer.expectReset(streamId)).toBe(8)
      expect(peer.frames.filter(({ type, flags }) => type === FRAME.DATA && (flags & FLAG.END_STREAM) !== 0)).toEqual([])
      await peer.closed
    })
    const outbound = outboundTo([upstream], EARLY)
    const { link, processed } = await start(outbound)
    await link.client.send(PAYLOAD)
    await expect(processed).rejects.toMatchObject({ code: 'ABORT', side: 'downstream' })
    await until(() => upstream.peers[0]?.openStreams.length === 0, 'the reset')
  })

  it('asks once where payload has gone, and twice where none has, and then payload waits', async () => {
    const upstream = await upstreamOf((peer) => answerConnects(peer, { delayMs: peer.index === 0 ? 1_500 : 300, onTunnel: sendBack }))
    const outbound = outboundTo([upstream], EARLY)
    const [spoken, silent] = await Promise.all([start(outbound), start(outbound)])
    await spoken.link.client.send(PAYLOAD)
    await until(() => upstream.peers[1]?.requests.length === 1, 'the second request')
    await silent.link.client.send(PAYLOAD)
    await Promise.all([silent, spoken].map(({ link }) => link.client.expect(PAYLOAD)))
    expect(upstream.peers.map(({ requests }) => requests.length)).toEqual([2, 1])
    for (const { ctx } of [spoken, silent]) expect(ctx.record.uplinkBytes).toBe(PAYLOAD.length)
  })

  it('does not concern what is dialled through it', async () => {
    const upstream = await proxyOf({ status: () => 403 })
    await expect(connect(outboundTo([upstream], EARLY))).rejects.toMatchObject({ code: 'STATUS' })
  })
})

describe('HttpOutbound with earlyData, over HTTP/1.1', () => {
  it.each(['1.1', 'auto'] as const)('opens at once and holds payload back until the 2xx (version %s)', async (version) => {
    await using upstream = await scriptedUpstream(async (peer) => {
      const head = await peer.expectHead()
      await link.client.send(PAYLOAD)
      await peer.send('HTTP/1.1 103 x\r\n\r\n')
      await until(() => link.reader.readableLength === PAYLOAD.length, 'the payload to wait')
      expect(peer.received.toString('latin1')).toBe(head)
      await peer.send('HTTP/1.1 200 OK\r\n\r\n')
      await peer.expect(PAYLOAD)
      await peer.send('answer')
    })
    const { link } = await start(outboundTo([upstream], { settings: { earlyData: true, version } }))
    await link.client.expect('answer')
  })
})
