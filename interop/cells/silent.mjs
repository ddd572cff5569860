import { deepEqual, ok } from 'node:assert/strict'
import { setTimeout as delay } from 'node:timers/promises'
import { destroyAll, exchange, openGreeted, openTunnels, watchEnds } from '../long-tunnels.mjs'
import { startSluice } from '../sluice.mjs'

const LIVE = 20
const NEW = 6
const SETTLED_MS = 1_200
/** 15 s of silence, looked at once a second, and 5 s for the answer to a PING; the rest is for a busy machine. */
const FOUND_LIMIT_MS = 21_500
const OPEN_LIMIT_MS = 1_500
const CELL_LIMIT_MS = 40_000
const SILENCE_MS = 60_000

/**
 * The upstream is held: its connections are open, and it says nothing more. The tunnels are given up when that is certain, as resets;
 * long before, new ones go to the other server, where there is one.
 */
async function fallsSilent({ lane, upstream, sluice }) {
  const withOther = await startSluice(lane, upstream, { others: [upstream.other] })
  const live = await openTunnels(lane, sluice, LIVE, { silenceMs: SILENCE_MS })
  // Both servers have answered before one falls silent.
  const before = await openTunnels(lane, withOther, 4, { silenceMs: SILENCE_MS })
  const fresh = []
  try {
    await exchange([...live, ...before], 1_024)
    const ends = watchEnds(live)
    const heldAt = performance.now()
    upstream.front.hold()
    await delay(SETTLED_MS)
    const openMs = []
    for (let count = 0; count < NEW; count++) {
      const askedAt = performance.now()
      fresh.push(await openGreeted(lane, withOther.http, { silenceMs: SILENCE_MS }))
      openMs.push(Math.round(performance.now() - askedAt))
    }
    await exchange(fresh, 1_024)
    const all = await ends
    deepEqual([...new Set(all.map(({ end }) => end))], ['ECONNRESET'])
    const foundMs = Math.max(...all.map(({ at }) => at)) - heldAt
    await exchange(fresh, 1_024)
    const figures = `found in ${(foundMs / 1000).toFixed(1)} s; new tunnels to the other server open in ${openMs.join(', ')} ms`
    ok(foundMs <= FOUND_LIMIT_MS && Math.max(...openMs) <= OPEN_LIMIT_MS, figures)
    return figures
  } finally {
    upstream.front.goOn()
    destroyAll([...live, ...before, ...fresh])
    await withOther.stop()
  }
}

export const silentCells = [{
  name: 'silent upstream',
  applies: ({ canFallSilent }) => canFallSilent === true,
  // It waits most of its time.
  isBeside: true,
  limitMs: CELL_LIMIT_MS,
  run: fallsSilent,
}]
