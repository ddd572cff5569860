/** Behaviours against one upstream. */
import { inspect } from 'node:util'
import { startSluice } from './sluice.mjs'
import { within } from './until.mjs'

const CELL_LIMIT_MS = 12_000
const LOG_LINES = 3

/** Marks every cell that applies. Rejects only when the program under test does not start. */
export async function runCells(cells, lane, upstream, results) {
  const sluice = await startSluice(lane, upstream)
  try {
    for (const { name, applies, expected, run, limitMs = CELL_LIMIT_MS } of cells) {
      if (applies !== undefined && !applies(upstream)) continue
      const why = expected?.(upstream)
      const logged = sluice.log().length
      try {
        const figures = await within(run({ lane, upstream, sluice }), { limitMs, otherwise: () => `not done after ${limitMs / 1000} s` })
        if (figures !== undefined) results.note(`${upstream.name}, ${name}: ${figures}`)
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
