/**
 * The interop lane: curl, the real `sluice` command, and the upstream proxies that people have.
 *
 * `node interop/run.mjs [--require-all] [--only NAME]…`. A program that is not installed means skipped cells, counted at the end;
 * with `--require-all`, or CI=true, failed ones. `--only`: these upstreams and no other.
 */
import { parseArgs } from 'node:util'
import { CELLS } from './cells/cells.mjs'
import { openLane } from './lane.mjs'
import { killAll, Programs } from './processes.mjs'
import { Results } from './results.mjs'
import { runCells } from './run-cells.mjs'
import { howToInstall, missingTools } from './tools.mjs'
import { KINDS } from './upstreams/kinds.mjs'

const LIMIT_MS = 480_000

const { values } = parseArgs({
  options: { 'require-all': { type: 'boolean', default: false }, 'only': { type: 'string', multiple: true } },
})
const requireAll = values['require-all'] || process.env.CI === 'true'
const isWanted = ({ name }) => values.only?.includes(name) ?? true
const kinds = KINDS.map((kind) => ({ ...kind, upstreams: kind.upstreams.filter(isWanted) })).filter((kind) => kind.upstreams.length > 0)
const upstreams = kinds.flatMap((kind) => kind.upstreams)
const results = new Results(CELLS, upstreams)
const startedAt = performance.now()
const running = new Set()
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
  results.close()
  await close()
  report()
  process.exit()
}, LIMIT_MS).unref()

async function close() {
  await Promise.all([...running].map((programs) => programs.stopAll()))
  lane?.close()
}

/** Starts a kind and runs these cells against those of its upstreams to which any of them applies. */
async function runKind(kind, cells) {
  const concerned = kind.upstreams.filter((upstream) => cells.some(({ applies }) => applies?.(upstream) ?? true))
  if (concerned.length === 0) return
  const names = concerned.map(({ name }) => name)
  const missing = missingTools(['curl', ...kind.tools])
  if (missing.length > 0) {
    results.markRest(names, requireAll ? 'FAIL' : 'skip', `not installed: ${missing.join(', ')}; ${howToInstall(missing)}`)
    return
  }
  const programs = new Programs()
  running.add(programs)
  const own = { ...lane, programs }
  try {
    const started = await kind.start(own)
    for (const upstream of concerned) await runCells(cells, own, { ...upstream, ...started[upstream.name] }, results)
  } catch (error) {
    results.markRest(names, 'FAIL', error.message)
  } finally {
    await programs.stopAll()
    running.delete(programs)
  }
}

/** One kind after the other; what only waits goes on beside them, with upstreams of its own. */
async function runAll() {
  const beside = kinds.map((kind) => runKind(kind, CELLS.filter((cell) => cell.isBeside)))
  for (const kind of kinds) await runKind(kind, CELLS.filter((cell) => !cell.isBeside))
  await Promise.all(beside)
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
  await runAll()
} finally {
  await close()
}
report()
