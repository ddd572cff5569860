import { once } from 'node:events'
import { constants } from 'node:http2'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import type { Connection } from '@sluice/core'
import {
  FRAME, leakCounter, pattern, sha256, testContext, testLink, untilSteady, type AnsweredTunnel, type ConnectAnswers,
  type RawHttp2Upstream, type TestLink,
} from '@sluice/testkit'
import { abort } from '@sluice/transport'
import {
  connect, dialerOf, echoes, endingOf, failsWith, isCut, openIn, outboundTo, poolTo, proxyOf, TARGET, until, upstreamOf, within,
  type OutboundOptions,
} from './harness.js'

interface Relayed {
  readonly upstream: RawHttp2Upstream
  readonly link: TestLink
  readonly ctx: ReturnType<typeof testContext>
  readonly done: Promise<void>
  /** The server's end of the tunnel. */
  readonly tunnel: AnsweredTunnel
}

/** One session through an outbound, relayed between a client's socket and a stream of a scripted upstream. */
async function relayed(answers: ConnectAnswers = {}, options: OutboundOptions = {}): Promise<Relayed> {
  let tunnel: AnsweredTunnel | undefined
  const upstream = await proxyOf({ onData: () => {}, ...answers, onTunnel: (each) => { tunnel = each } })
  const outbound = outboundTo([upstream], options)
  const ctx = testContext({ target: TARGET })
  const link = await testLink()
  const done = outbound.process(ctx, link, dialerOf())
  done.catch(() => {})
  await within(2_000, 'the link to be opened', Promise.race([link.whenOpened, done]))
  return { upstream, link, ctx, done, tunnel: tunnel as AnsweredTunnel }
}


describe('a session over HTTP/2', () => {
  it('C140 passes the end of the client on, and delivers the late reply', async () => {
    const { link, tunnel, done, ctx } = await relayed()
    await link.client.send('request')
    await link.client.fin()
    expect(String(await tunnel.peer.expectEnd(tunnel.streamId))).toBe('request')
    await sleep(300)
    tunnel.send(Buffer.from('reply'), true)
    await link.client.expect('reply')
    await link.client.expectEnd()
    await within(500, 'the session to end', done)
    expect(ctx.record).toMatchObject({ outcome: 'closed', uplinkBytes: 7, downlinkBytes: 5 })
  })

  it('C142 passes the end of the target on, and still delivers 1 MiB of the client', async () => {
    const { link, tunnel, done } = await relayed()
    const bytes = pattern(1_048_576)
    tunnel.send(bytes, true)
    expect(sha256(await link.client.expectBytes(bytes.length))).toBe(sha256(bytes))
    await link.client.expectEnd()
    await link.client.send(bytes)
    await link.client.fin()
    expect(sha256(await tunnel.peer.expectEnd(tunnel.streamId))).toBe(sha256(bytes))
    await within(500, 'the session to end', done)
  })

  it.each([0, 150])('C144 ends a silent client %d ms after the end of the target, with all that was under way', async (uplinkOnlyMs) => {
    const { link, tunnel, done, ctx } = await relayed({}, { policy: { uplinkOnlyMs } })
    const startedAt = performance.now()
    tunnel.send(pattern(500_000), true)
    await link.client.expectBytes(500_000)
    await link.client.expectEnd()
    await within(1_000, 'the session to end', done)
    expect(performance.now() - startedAt).toBeGreaterThan(uplinkOnlyMs)
    expect(ctx.record.outcome).toBe('closed')
    await tunnel.peer.expectEnd(tunnel.streamId)
  })

  it('C119 C145 ends an idle tunnel alone, while its session lives', async () => {
    const upstream = await proxyOf()
    const outbound = outboundTo([upstream], { policy: { connIdleMs: 200 } })
    const dialer = dialerOf()
    const sibling = await connect(outbound, dialer)
    const [idle, busy] = await Promise.all([testLink(), testLink()])
    const [idleCtx, busyCtx] = [testContext({ target: TARGET }), testContext({ target: TARGET })]
    const idling = outbound.process(idleCtx, idle, dialer)
    idling.catch(() => {})
    const busying = outbound.process(busyCtx, busy, dialer)
    busying.catch(() => {})
    await Promise.all([idle.whenOpened, busy.whenOpened])
    for (let count = 0; count < 4; count++) {
      await sleep(120)
      await busy.client.send('x')
      await busy.client.expect('x')
    }
    await within(100, 'the idle session to end', idling)
    expect(idleCtx.record.outcome).toBe('idle')
    expect(busyCtx.record.outcome).toBeUndefined()
    await echoes(sibling, pattern(1_000))
    expect(upstream.connections).toBe(1)
  })

  it.each([
    ['CONNECT_ERROR', constants.NGHTTP2_CONNECT_ERROR], ['CANCEL', constants.NGHTTP2_CANCEL], ['NO_ERROR', constants.NGHTTP2_NO_ERROR],
    ['INTERNAL_ERROR', constants.NGHTTP2_INTERNAL_ERROR], ['REFUSED_STREAM', constants.NGHTTP2_REFUSED_STREAM],
  ] as const)('C147 resets the client when the stream is reset with %s', async (_, code) => {
    const { link, tunnel, done, ctx } = await relayed()
    tunnel.send(Buffer.from('part'))
    await link.client.expect('part')
    tunnel.rst(code)
    await link.client.expectReset()
    const error = await failsWith('ABORT', done)
    expect(error).toMatchObject({ side: 'upstream' })
    expect(ctx.record).toMatchObject({ downlinkBytes: 4 })
  })

  it('C147 resets the client when the connection is lost', async () => {
    const { link, tunnel, done } = await relayed()
    tunnel.peer.fin()
    await link.client.expectReset()
    await failsWith('ABORT', done)
  })

  it('C148 resets the stream within 50 ms when the client resets, and never ends it before', async () => {
    const { link, tunnel, done } = await relayed()
    await link.client.send('part of an upload')
    await tunnel.peer.expectData(tunnel.streamId, 17)
    link.client.reset()
    expect(await within(50, 'RST_STREAM', tunnel.peer.expectReset(tunnel.streamId))).toBe(constants.NGHTTP2_CONNECT_ERROR)
    expect(tunnel.peer.stream(tunnel.streamId).hasEnded).toBe(false)
    expect(await failsWith('ABORT', done)).toMatchObject({ side: 'downstream' })
  })

  it('C149 pauses the target for a slow client, and delivers everything in the end', async () => {
    const { link, tunnel, done } = await relayed()
    link.client.pause()
    const bytes = pattern(32 * 1_048_576)
    tunnel.send(bytes, true)
    await untilSteady(() => tunnel.peer.frames.filter(({ type }) => type === FRAME.WINDOW_UPDATE).length, 'the windows')
    expect(link.reader.writableLength).toBeLessThan(4_194_304)
    link.client.resume()
    expect(sha256(await link.client.expectBytes(bytes.length))).toBe(sha256(bytes))
    await link.client.fin()
    await within(1_000, 'the session to end', done)
  })

  it('C151 pauses a client whose target reads slowly', async () => {
    const upstream = await upstreamOf(async (peer) => {
      await peer.handshake({ maxConcurrentStreams: 10 })
      await peer.expectRequest()
      peer.headers(1, [[':status', '200']])
      await peer.expectData(1, 65_535)
      await peer.wait(200)
      expect(peer.stream(1).bytes).toBe(65_535)
      peer.windowUpdate(0, 100 * 1_048_576)
      peer.windowUpdate(1, 100 * 1_048_576)
      await peer.expectEnd(1)
      peer.data(1, '', { endStream: true })
    })
    const link = await testLink()
    const done = outboundTo([upstream]).process(testContext({ target: TARGET }), link, dialerOf())
    done.catch(() => {})
    await link.whenOpened
    const bytes = pattern(24 * 1_048_576)
    let sent = false
    const sending = link.client.send(bytes).then(() => { sent = true })
    await upstream.peers[0]?.expectData(1, 65_535)
    await sleep(150)
    expect(sent).toBe(false)
    await sending
    await link.client.fin()
    expect(sha256(await upstream.peers[0]!.expectEnd(1))).toBe(sha256(bytes))
    await within(1_000, 'the session to end', done)
  })

  it('C153 loses, doubles and reorders nothing, however the bytes are cut', async () => {
    const upstream = await proxyOf()
    const outbound = outboundTo([upstream])
    await Promise.all(Array.from({ length: 12 }, async (_, seed) => {
      const link = await testLink()
      const done = outbound.process(testContext({ target: TARGET }), link, dialerOf())
      done.catch(() => {})
      await link.whenOpened
      let state = seed + 1
      const random = (below: number): number => {
        state = (state * 48_271) % 2_147_483_647
        return state % below
      }
      const bytes = pattern(1_048_576 + random(1_048_576), seed)
      const receiving = link.client.expectBytes(bytes.length)
      for (let at = 0; at < bytes.length;) {
        const size = random(3) === 0 ? random(10) : random(60_000)
        await link.client.send(bytes.subarray(at, at + size))
        at += size
        if (random(20) === 0) await new Promise(setImmediate)
      }
      await link.client.fin()
      expect(sha256(await receiving)).toBe(sha256(bytes))
      await link.client.expectEnd()
      await within(2_000, 'the session to end', done)
    }))
  })

  it('C154 ends once when both sides reset in the same tick, and leaves nothing behind', async () => {
    const { link, tunnel, done, ctx, upstream } = await relayed()
    const counter = leakCounter({ watch: { signal: ctx.signal } })
    tunnel.rst(8)
    link.client.reset()
    await expect(done).rejects.toMatchObject({ code: 'ABORT' })
    expect(counter.leaks()).toEqual([])
    expect(upstream.connections).toBe(1)
  })
})

describe('a tunnel in a stream', () => {
  const cases: readonly (readonly [string, (tunnel: Connection) => void, number])[] = [
    ['abort()', (tunnel) => abort(tunnel, new Error('cut')), constants.NGHTTP2_CONNECT_ERROR],
    ['destroy(error)', (tunnel) => tunnel.destroy(new Error('cut')), constants.NGHTTP2_INTERNAL_ERROR],
    ['destroy()', (tunnel) => tunnel.destroy(), constants.NGHTTP2_CANCEL],
  ]

  it.each(cases)('is reset by %s, with no END_STREAM before', async (_, cut, code) => {
    const upstream = await proxyOf({ onData: () => {} })
    const pool = poolTo(upstream)
    const tunnel = await openIn(pool)
    tunnel.write('part')
    await upstream.peers[0]?.expectData(1, 4)
    cut(tunnel)
    const seen = await upstream.peers[0]?.expectReset(1)
    expect([code, constants.NGHTTP2_NO_ERROR]).toContain(seen)
    expect(upstream.peers[0]?.stream(1).hasEnded).toBe(false)
    await until(() => [...pool.sessions][0]?.streams === 0, 'the slot')
  })

  it.each(cases)('gives its slot back after %s, though its last bytes were never read', async (_, cut) => {
    const upstream = await proxyOf({ onTunnel: (each) => each.send(pattern(200_000), true), onData: () => {} })
    const pool = poolTo(upstream)
    const tunnel = await openIn(pool)
    tunnel.end('all')
    await upstream.peers[0]?.expectEnd(1)
    await until(() => tunnel.readableLength > 0, 'bytes')
    cut(tunnel)
    await until(() => [...pool.sessions][0]?.streams === 0, 'the slot')
  })

  it('keeps its slot until its last bytes were read', async () => {
    const upstream = await proxyOf({ onTunnel: (each) => each.send(pattern(200_000), true), onData: () => {} })
    const pool = poolTo(upstream)
    const tunnel = await openIn(pool)
    tunnel.end('all')
    await upstream.peers[0]?.expectEnd(1)
    expect([...pool.sessions][0]?.streams).toBe(1)
    tunnel.resume()
    await once(tunnel, 'end')
    await until(() => [...pool.sessions][0]?.streams === 0, 'the slot')
  })

  it.each([0, 8, 7, 10])('is cut by RST_STREAM(%d), also if nobody listens, and even if it was read to that point', async (code) => {
    const upstream = await proxyOf()
    const pool = poolTo(upstream)
    const [tunnel, unheard] = await Promise.all([openIn(pool), openIn(pool)])
    await echoes(tunnel, pattern(10))
    const cut = isCut(tunnel)
    upstream.peers[0]?.rst(1, code)
    upstream.peers[0]?.rst(3, code)
    await cut
    await until(() => unheard.destroyed, 'the other one to be cut')
    expect(unheard.errored).toBeInstanceOf(Error)
  })

  it.each([0, 7, 8])('is cut by RST_STREAM(%d) after it ended its own side', async (code) => {
    const upstream = await proxyOf({ onData: () => {} })
    const tunnel = await openIn(poolTo(upstream))
    tunnel.end('all')
    await upstream.peers[0]?.expectEnd(1)
    const cut = isCut(tunnel)
    upstream.peers[0]?.data(1, 'part')
    upstream.peers[0]?.rst(1, code)
    await cut
  })

  it.each(['read', 'not read yet'])('ends in order by END_STREAM and RST_STREAM(NO_ERROR) behind it, when all was %s', async (how) => {
    const upstream = await proxyOf({ onData: () => {} })
    const pool = poolTo(upstream)
    const tunnel = await openIn(pool)
    tunnel.end('all')
    await upstream.peers[0]?.expectEnd(1)
    if (how === 'read') tunnel.resume()
    const peer = upstream.peers[0]
    peer?.data(1, 'whole', { endStream: true })
    peer?.rst(1, 0)
    if (how !== 'read') await until(() => tunnel.readableLength > 0, 'bytes')
    const ending = await within(1_000, 'the end', endingOf(tunnel))
    expect(ending).toMatchObject({ error: undefined, ended: true })
    await until(() => [...pool.sessions][0]?.streams === 0, 'the slot')
  })

  it('passes on as a reset that the server reset with NO_ERROR after the client\'s end', async () => {
    const { link, tunnel, done } = await relayed()
    await link.client.fin()
    await tunnel.peer.expectEnd(tunnel.streamId)
    tunnel.send(Buffer.from('part'))
    await link.client.expect('part')
    tunnel.rst(0)
    await link.client.expectReset()
    await failsWith('ABORT', done)
  })
})
