import { describe, expect, it } from 'vitest'
import { isProxyError } from '@sluice/core'
import { FRAME, type RawHttp2Peer } from '@sluice/testkit'
import { openIn, poolTo, times, until, upstreamOf, within } from './harness.js'

const SEQUENCES = Number(process.env['FUZZ_SEQUENCES'] ?? 300)

/** Numbers that look random and are the same in every run (Lehmer). */
function randomFrom(seed: number): (below: number) => number {
  let state = seed + 1
  return (below) => {
    state = (state * 48_271) % 2_147_483_647
    return state % below
  }
}

/** Sends a frame of any kind: most are nearly right, some are noise. */
function sendAny(peer: RawHttp2Peer, random: (below: number) => number): void {
  const streamId = [0, 1, 1, 1, 3, 5, 2, 99][random(8)] ?? 0
  const bytes = Buffer.from(times(random(40), () => random(256)))
  switch (random(14)) {
    case 0: return peer.headers(streamId, [[':status', String(100 + random(500))]], { endStream: random(4) === 0, endHeaders: random(6) > 0 })
    case 1: return peer.headers(streamId, [['x', 'y'.repeat(random(300))]], { endStream: random(2) === 0 })
    case 2: return void peer.data(streamId, bytes, { endStream: random(5) === 0 })
    case 3: return void peer.data(streamId, bytes, { padding: random(256) })
    case 4: return peer.rst(streamId, random(16))
    case 5: return peer.settings([[random(10), random(3) === 0 ? random(2 ** 31) : random(200)]])
    case 6: return void peer.ping(bytes.subarray(0, random(8) === 0 ? 3 : 8), { ack: random(2) === 0 })
    case 7: return peer.goaway(random(3) === 0 ? random(10) : 2 ** 31 - 1, random(6) === 0 ? random(14) : 0)
    case 8: return peer.windowUpdate(streamId, random(6) === 0 ? 2 ** 31 - 1 : random(70_000))
    case 9: return peer.pushPromise(streamId, 2, [[':method', 'GET']])
    case 10: return peer.continuation(streamId, [['x', 'y']], { endHeaders: random(2) === 0 })
    case 11: return void peer.frame({ type: random(256), flags: random(256), streamId, payload: bytes })
    case 12: return void peer.frame({ type: FRAME.HEADERS, flags: random(64), streamId, payload: bytes })
    default: return void peer.raw(bytes)
  }
}

describe('frames at random', () => {
  it('G3 settle every tunnel: open, or failed with an error of ours, and leave no slot taken', { timeout: 60_000 }, async () => {
    for (let seed = 0; seed < SEQUENCES; seed += 20) {
      await Promise.all(times(20, (index) => play(seed + index)))
    }
  })
})

async function play(seed: number): Promise<void> {
  const random = randomFrom(seed)
  const upstream = await upstreamOf(async (peer) => {
    if (random(10) > 0) peer.settings({ maxConcurrentStreams: 1 + random(5) })
    await peer.expectFrame('HEADERS').catch(() => {})
    for (let count = random(30); count > 0 && peer.ending === undefined; count--) sendAny(peer, random)
    if (random(2) === 0) peer.fin()
    await peer.closed
  }, { stepMs: 200 })
  const pool = poolTo(upstream, { silenceMs: 60, pingLimitMs: 30, suspectMs: 15, settleMs: 60, hedgeAfterMs: 20, calmMs: 5 }, { maxConnections: 3 })
  const signal = AbortSignal.timeout(300)
  const settled = await within(2_000, `sequence ${seed}`, Promise.allSettled(times(3, () => openIn(pool, { signal }))))
  for (const outcome of settled) {
    if (outcome.status === 'fulfilled') outcome.value.destroy()
    else expect(outcome.reason === signal.reason || (isProxyError(outcome.reason) && outcome.reason.code !== 'INTERNAL'), `sequence ${seed}: ${String(outcome.reason)}`).toBe(true)
  }
  await until(() => [...pool.sessions].every(({ streams }) => streams === 0), `sequence ${seed} to give its slots back`)
  pool.close()
  await upstream.close()
}
