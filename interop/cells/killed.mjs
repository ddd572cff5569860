import { deepEqual, ok } from 'node:assert/strict'
import { setTimeout as delay } from 'node:timers/promises'
import { destroyAll, openGreeted, openTunnels, watchEnds } from '../long-tunnels.mjs'

const LIVE = 200
const DOWN_MS = 1_500
/** Clients that ask for a tunnel all the time, as browsers do. */
const ASKING = 4
/** The goal is 100 ms and 500 ms; the rest is for a machine that does other things as well. */
const RESET_LIMIT_MS = 500
const RETURN_LIMIT_MS = 900

/** The upstream is gone from one moment to the next: every tunnel's client is told at once, and that it was no end in order. */
async function killed({ lane, upstream: { front }, sluice }) {
  const live = await openTunnels(lane, sluice, LIVE)
  const ends = watchEnds(live)
  const asking = { isOver: false }
  try {
    const killedAt = performance.now()
    front.kill()
    const all = await ends
    deepEqual(countBy(all.map(({ end }) => end)), { ECONNRESET: LIVE })
    const resetMs = Math.max(...all.map(({ at }) => at)) - killedAt

    const firstOpen = Promise.race(Array.from({ length: ASKING }, () => openWhenPossible(lane, sluice.http, asking)))
    // Should the upstream not return, that is what is told.
    firstOpen.catch(() => {})
    await delay(DOWN_MS)
    await front.start()
    const returnedAt = performance.now()
    const { socket, at } = await firstOpen
    socket.destroy()
    const returnMs = Math.max(0, at - returnedAt)
    const figures = `all reset in ${resetMs.toFixed()} ms, the next tunnel open ${returnMs.toFixed()} ms after the return`
    ok(resetMs <= RESET_LIMIT_MS && returnMs <= RETURN_LIMIT_MS, figures)
    return figures
  } finally {
    asking.isOver = true
    destroyAll(live)
  }
}

function countBy(values) {
  const counts = {}
  for (const value of values) counts[value] = (counts[value] ?? 0) + 1
  return counts
}

async function openWhenPossible(lane, inbound, asking) {
  for (;;) {
    try {
      const socket = await openGreeted(lane, inbound)
      if (asking.isOver) socket.destroy()
      return { socket, at: performance.now() }
    } catch (error) {
      if (asking.isOver) throw error
    }
  }
}

export const killedCells = [{ name: 'kill -9 and start', applies: ({ canFail }) => canFail === true, limitMs: 20_000, run: killed }]
