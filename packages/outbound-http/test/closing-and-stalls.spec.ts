import { describe, expect, it } from 'vitest'
import { tcp, type ProxyError } from '@sluice/core'
import { closedPort, leakCounter, testContext, until, within } from '@sluice/testkit'
import { Case, createOutbound, PAYLOAD, requestFor, serverOf, Session, startUpstream, VARIANTS, WIRES, type Play } from './harness.js'

const HEAD = 'HTTP/1.1 200 OK\r\nA: b\r\n\r\n'
const REFUSAL = 'HTTP/1.1 403 Forbidden\r\n\r\n'

for (const variant of VARIANTS) describe(`A server that hangs up over ${variant.over}`, () => {
  const endings = variant.chunk === undefined ? ['fin', 'reset'] as const : ['fin'] as const
  it.each(endings)('C040 a %s at any byte of the answer is CLOSED, and asked for once more', async (how) => {
    const counter = leakCounter()
    const seen = new Map<string, number>()
    // The target's port says how much of the head is sent to who asks for the first time.
    const upstream = await startUpstream(variant, async (peer, say) => {
      const target = /^CONNECT (\S+)/.exec(await peer.expectHead())?.[1] ?? ''
      const count = (seen.get(target) ?? 0) + 1
      seen.set(target, count)
      if (count > 1) return say(REFUSAL)
      await say(HEAD.slice(0, Number(target.split(':')[1]) - 1))
      await peer[how]()
    })
    const errors = await Promise.all(Array.from({ length: HEAD.length }, async (_, sent): Promise<ProxyError> => {
      const outbound = createOutbound({ servers: [serverOf(upstream)] }, { handshakeMs: 10_000 })
      return outbound.connect(testContext({ target: tcp('target.test', sent + 1) }), variant.dialer).then(
        () => { throw new Error(`opened after ${sent} bytes`) }, (error: unknown) => error as ProxyError,
      )
    }))
    const server = `127.0.0.1:${upstream.port}`
    for (const { attempts } of errors) {
      expect(attempts).toMatchObject([{ code: 'CLOSED', phase: 'connect', side: 'upstream', server }, { code: 'STATUS' }])
    }
    expect([...seen.values()]).toEqual(HEAD.split('').map(() => 2))
    await within(100, 'the upstream sockets to be closed', Promise.all(upstream.peers.map(({ closed }) => closed)))
    await upstream.close()
    await counter.expectNoLeaks(100)
  })

  it.each<[string, Play]>([
    ['in order', (peer) => peer.fin()],
    ['for good', (peer) => { peer.socket.destroy() }],
    ['with a reset', (peer) => { peer.reset() }],
  ])('C042 it accepts and at once closes %s: CLOSED, and the next connection is tried', async (_, close) => {
    await using run = await Case.start(variant, async (peer, say) => {
      if (peer.index === 0) return close(peer, say)
      await peer.expectHead()
      await say(REFUSAL)
    })
    const error = await run.session.refused([run.upstream])
    expect(error.attempts).toMatchObject([{ code: 'CLOSED', phase: 'connect', side: 'upstream' }, { code: 'STATUS' }])
    expect(run.upstream.requests).toEqual([requestFor()])
  })
})

for (const variant of WIRES) describe(`A server out of reach over ${variant.over}`, () => {
  it('C043 a refused dial is DIAL, and the next server is tried at once', async () => {
    await using upstream = await startUpstream(variant, async (peer, say) => {
      await peer.expectHead()
      await say('HTTP/1.1 200 OK\r\n\r\n')
    })
    const port = await closedPort()
    const outbound = createOutbound({ servers: [{ address: '127.0.0.1', port }, serverOf(upstream)] })
    const session = await Session.start(outbound, variant.dialer)
    await session.opened()
    expect(session.ctx.record).toMatchObject({ attempts: 2, server: `127.0.0.1:${upstream.port}` })
    const peer = await upstream.peer(0)
    await peer.expect(PAYLOAD)
    await session.end(peer)
    session.close()
  })
})

/** Scaled down: 10 s are 300 ms. */
const HANDSHAKE_MS = 300
const policy = { handshakeMs: HANDSHAKE_MS }

/** A script, and how long each of its connections lived after the request, in ms. */
function timed(play: Play): { play: Play, readonly lives: number[] } {
  const lives: number[] = []
  return {
    lives,
    play: async (peer, say) => {
      await peer.expectHead()
      const since = performance.now()
      await play(peer, say)
      await peer.closed
      lives.push(performance.now() - since)
    },
  }
}

/** At the limit ±5 %, and what a busy machine adds to one of them. */
function expectAtLimit(lives: readonly number[]): void {
  expect(Math.max(...lives)).toBeGreaterThan(HANDSHAKE_MS * 0.95)
  expect(Math.min(...lives)).toBeLessThan(HANDSHAKE_MS * 1.05)
}

for (const variant of WIRES) describe(`A server that stalls over ${variant.over}`, () => {
  it('C045 no answer: TIMEOUT at the limit, tried again, and given up within three times the limit', async () => {
    const { play, lives } = timed(() => {})
    const startedAt = performance.now()
    await using run = await Case.start(variant, play, { policy })
    const error = await run.session.refused([run.upstream])
    expect(performance.now() - startedAt).toBeLessThan(3 * HANDSHAKE_MS * 1.05)
    expectAtLimit(lives)
    expect(error).toMatchObject({ code: 'TIMEOUT', phase: 'connect', side: 'upstream', server: `127.0.0.1:${run.upstream.port}` })
    expect(error.attempts.map(({ code }) => code)).toEqual(['TIMEOUT', 'TIMEOUT'])
    expect(run.upstream.requests).toEqual([requestFor(), requestFor()])
    expect(run.session.ctx.record.attempts).toBe(2)
  })

  it('C047 interim answers for ever: TIMEOUT at the same limit', async () => {
    const { play, lives } = timed(async (peer) => {
      while (!peer.socket.destroyed) {
        await peer.send('HTTP/1.1 102 Processing\r\n\r\n').catch(() => {})
        await peer.wait(30)
      }
    })
    await using run = await Case.start(variant, play, { policy })
    const error = await run.session.refused([run.upstream])
    expectAtLimit(lives)
    expect(error).toMatchObject({ code: 'TIMEOUT', phase: 'connect' })
  })

  it('C048 a server that does not read the request: TIMEOUT at the same limit', async () => {
    const padding = 'x'.repeat(8 * 1_048_576)
    const startedAt = performance.now()
    await using run = await Case.start(variant, (peer) => { peer.pause() }, { policy, settings: { headers: { 'X-Padding': padding } } })
    const error = await run.session.done.then(() => undefined, (reason: unknown) => reason)
    expect(performance.now() - startedAt).toBeLessThan(1_500)
    expect(error).toMatchObject({ code: 'TIMEOUT', phase: 'connect', side: 'upstream' })
    for (const peer of run.upstream.peers) {
      // A socket that is not read does not hear of a reset; and behind bytes that were waiting, it may look like an end.
      peer.resume()
      await until(() => peer.ended || peer.socket.destroyed, 'the connection to end')
      peer.socket.destroy()
      expect(peer.receivedBytes).toBeLessThan(padding.length)
    }
    await run.session.refused([run.upstream])
  })
})
