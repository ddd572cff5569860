/**
 * The interop lane: curl, the real `sluice` command, and the upstream proxies that people have.
 *
 * `node interop/run.mjs [--require-all]`. A program that is not installed means skipped cells, counted at the end; with
 * `--require-all`, or CI=true, failed ones.
 */
import { parseArgs } from 'node:util'
import { CELLS } from './cells/cells.mjs'
import { openLane } from './lane.mjs'
import { killAll, stopAll } from './processes.mjs'
import { Results } from './results.mjs'
import { runCells } from './run-cells.mjs'
import { howToInstall, missingTools } from './tools.mjs'
import { KINDS } from './upstreams/kinds.mjs'

const LIMIT_MS = 170_000

const { values } = parseArgs({ options: { 'require-all': { type: 'boolean', default: false } } })
const requireAll = values['require-all'] || process.env.CI === 'true'
const upstreams = KINDS.flatMap((kind) => kind.upstreams)
const results = new Results(CELLS, upstreams)
const startedAt = performance.now()
let lane

process.on('exit', killAll)
for (const [signal, code] of [['SIGINT', 130], ['SIGTERM', 143], ['SIGHUP', 129]]) {
  process.once(signal, async () => {
    console.error(`stopped by ${signal}`)
    await close()
    process.exit(code)
  })
}
setTimeout(async () => {
  results.markRest(upstreams.map(({ name }) => name), 'FAIL', `not done after ${LIMIT_MS / 1000} s`)
  await close()
  report()
  process.exit()
}, LIMIT_MS).unref()

async function close() {
  await stopAll()
  lane?.close()
}

async function runKind(kind) {
  const names = kind.upstreams.map(({ name }) => name)
  const missing = missingTools(['curl', ...kind.tools])
  if (missing.length > 0) {
    results.markRest(names, requireAll ? 'FAIL' : 'skip', `not installed: ${missing.join(', ')}; ${howToInstall(missing)}`)
    return
  }
  try {
    const started = await kind.start(lane)
    for (const upstream of kind.upstreams) await runCells(lane, { ...upstream, ...started[upstream.name] }, results)
  } catch (error) {
    results.markRest(names, 'FAIL', error.message)
  } finally {
    await stopAll()
  }
}

function report() {
  const [passed, failed, skipped] = [results.count('pass', 'xfail'), results.count('FAIL'), results.count('skip')]
  console.log(results.format())
  console.log(`${((performance.now() - startedAt) / 1000).toFixed(1)} s; xfail: fails in the way that is written down, counted as passed`)
  console.log(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`)
  process.exitCode = failed > 0 ? 1 : 0
}

try {
  lane = await openLane()
  for (const kind of KINDS) await runKind(kind)
} finally {
  await close()
}
report()
