/**
 * Measures Sluice beside v2ray, by turns, and prints the ratios. Linux only; wants an idle machine and `ulimit -n` above 5,000.
 *
 * `node bench/run.mjs [--rounds 3] [--kinds h1,tlsh1,tlsh2] [--cells down:1,setup:32] [--measure-ms 1500] [--warm-ms 500]`
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { cpus, release, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { createCertificates } from '../packages/testkit/dist/index.js'
import { accepting, closed, firstLine, openFiles, start, stop } from './processes.mjs'
import { configFor, SYSTEMS, versionOf } from './systems.mjs'
import { tableOf } from './table.mjs'

const CELLS = 'down:1,down:8,down:64,up:1,up:8,up:64,setup:1,setup:32,setup:256,ping:64,idle:2000'
/** What of a result is shown, and how it is called. */
const FIGURES = {
  cpuPerGib: 'CPU s/GiB',
  slowestToMean: 'slowest/mean',
  cpuMsPerTunnel: 'CPU ms/tunnel',
  p50Ms: 'p50 ms',
  p99Ms: 'p99 ms',
  cpuUsPerMessage: 'CPU µs/message',
  kibPerTunnel: 'KiB/tunnel',
  filesLeft: 'descriptors left',
  failures: 'failures',
}

const { values } = parseArgs({
  options: {
    'rounds': { type: 'string', default: '3' },
    'kinds': { type: 'string', default: 'h1,tlsh1,tlsh2' },
    'cells': { type: 'string', default: CELLS },
    'measure-ms': { type: 'string', default: '1500' },
    'warm-ms': { type: 'string', default: '500' },
  },
})
const cells = values.cells.split(',')
const CELLS_IDLE = cells.filter((cell) => cell.startsWith('idle'))
const CELLS_BUSY = cells.filter((cell) => !cell.startsWith('idle'))
const folder = mkdtempSync(join(tmpdir(), 'sluice-bench-'))
const figures = new Map()
process.on('exit', () => rmSync(folder, { recursive: true, force: true }))

const systems = SYSTEMS.filter((system) => {
  const version = versionOf(system)
  console.log(version === undefined ? `SKIPPED: ${system.name} is not installed (${system.install})` : `${system.name}: ${version}`)
  return version !== undefined
})
const congestion = readFileSync('/proc/sys/net/ipv4/tcp_congestion_control', 'utf8').trim()
console.log(`${cpus().length} × ${cpus()[0].model}, Linux ${release()}, congestion control ${congestion}, ${new Date().toISOString()}`)

const upstream = await startUpstream()
for (let round = 1; round <= Number(values.rounds); round++) {
  for (const kind of values.kinds.split(',')) {
    for (const system of systems) {
      // What a process has done before shows in its memory.
      for (const cells of [CELLS_BUSY, CELLS_IDLE]) if (cells.length > 0) await measure(system, kind, round, cells)
    }
  }
}
await stop(upstream.child)
console.log(`\n${tableOf(figures, systems.map(({ name }) => name))}`)

async function startUpstream() {
  const certificates = await createCertificates()
  const { certPem, keyPem } = await certificates.issue()
  const caFile = keep('ca.pem', certificates.ca.certPem)
  const child = start(process.execPath, [pathOf('upstream.mjs'), keep('cert.pem', certPem), keep('key.pem', keyPem)])
  return { child, caFile, ports: JSON.parse(await firstLine(child)) }
}

async function measure(system, kind, round, cells) {
  const port = await freePort()
  const config = keep(`${system.name}-${kind}.json`, JSON.stringify(configFor(kind, port, upstream.ports[kind], upstream.caFile)))
  const child = start(system.command, system.args(config), { stdio: 'ignore' })
  try {
    await accepting(port)
    const files = openFiles(child.pid)
    for (const cell of cells) {
      await closed(child.pid, files)
      const [work, tunnels] = cell.split(':')
      const result = await load({ work, port, pid: child.pid, tunnels: Number(tunnels) })
      for (const [name, value] of Object.entries(result)) note(kind, `${cell} ${FIGURES[name]}`, system.name, value)
      console.log(`round ${round} ${kind} ${system.name} ${cell}: ${JSON.stringify(result)}`)
    }
  } finally {
    await stop(child)
  }
}

async function load(task) {
  const times = { warmMs: Number(values['warm-ms']), measureMs: Number(values['measure-ms']) }
  const child = start(process.execPath, [pathOf('load.mjs'), JSON.stringify({ ...task, ...times })])
  const chunks = []
  child.stdout.on('data', (chunk) => chunks.push(chunk))
  await new Promise((resolve) => child.once('close', resolve))
  return JSON.parse(Buffer.concat(chunks).toString())
}

function note(kind, row, system, value) {
  const key = `${kind}|${row}`
  const bySystem = figures.get(key) ?? new Map()
  figures.set(key, bySystem)
  bySystem.set(system, [...bySystem.get(system) ?? [], value])
}

function freePort() {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address()
      server.close(() => resolve(port))
    })
  })
}

function keep(name, text) {
  const path = join(folder, name)
  writeFileSync(path, text)
  return path
}

function pathOf(name) {
  return fileURLToPath(new URL(name, import.meta.url))
}
