/** All behaviours against one upstream. */
import { setTimeout as delay } from 'node:timers/promises'
import { inspect } from 'node:util'
import { CELLS } from './cells/cells.mjs'
import { startSluice } from './sluice.mjs'

const CELL_LIMIT_MS = 12_000
const LOG_LINES = 3

/** Marks every cell that applies. Rejects only when the program under test does not start. */
export async function runCells(lane, upstream, results) {
  const sluice = await startSluice(lane, upstream)
  try {
    for (const { name, applies, expected, run } of CELLS) {
      if (applies !== undefined && !applies(upstream)) continue
      const why = expected?.(upstream)
      const logged = sluice.log().length
      try {
        await limited(run({ lane, upstream, sluice }))
        results.mark(name, upstream.name, why === undefined ? 'pass' : 'xfail')
        if (why !== undefined) results.note(`xfail: ${why}`)
      } catch (error) {
        results.mark(name, upstream.name, 'FAIL')
        const log = sluice.log().slice(logged).trim().split('\n').slice(-LOG_LINES).map((line) => `\n       log: ${line}`)
        results.note(`FAIL ${upstream.name}, ${name}: ${describe(error)}${log.join('')}`)
      }
    }
  } finally {
    await sluice.stop()
  }
}

function describe(error) {
  if (!error.generatedMessage) return error.message
  const show = (value) => inspect(value, { breakLength: Infinity, maxStringLength: 160 })
  return `got ${show(error.actual)}, want ${show(error.expected)}`
}

async function limited(run) {
  const controller = new AbortController()
  const late = delay(CELL_LIMIT_MS, undefined, { signal: controller.signal }).then(() => {
    throw new Error(`not done after ${CELL_LIMIT_MS / 1000} s`)
  })
  try {
    await Promise.race([run, late])
  } finally {
    late.catch(() => {})
    controller.abort()
  }
}
