/**
 * Puts one kind of load on a proxy and prints what it cost: `node load.mjs '{"work":"down","port":1080,"pid":4711,…}'`.
 *
 * down, up: `tunnels` move bytes for a time. setup: so many at a time are opened, used once and closed. ping: 64 bytes to and fro.
 * idle: `tunnels` are opened and left alone. Only what falls between warm-up and end is counted.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { cpuSeconds, openFiles, residentKib } from './processes.mjs'
import { openTunnel } from './socks-client.mjs'

const BLOCK = Buffer.alloc(256 << 10, 'sluice')
const MESSAGE = Buffer.alloc(64, 'ping')
const GIB = 2 ** 30
const OPENING_AT_ONCE = 64

const { work, port, pid, tunnels: count, warmMs, measureMs } = JSON.parse(process.argv[2])
let failures = 0
let running = true

/** How much CPU the proxy needs from the end of the warm-up to the end. `reset` is called in between. */
async function measure(reset) {
  await sleep(warmMs)
  reset()
  const before = cpuSeconds(pid)
  await sleep(measureMs)
  return cpuSeconds(pid) - before
}

async function open(host, onRead) {
  try {
    return await openTunnel(port, host, onRead)
  } catch {
    failures++
    return undefined
  }
}

async function openAll(host, onRead) {
  const opened = []
  for (let index = 0; index < count; index += OPENING_AT_ONCE) {
    const indices = Array.from({ length: Math.min(OPENING_AT_ONCE, count - index) }, (_, offset) => index + offset)
    opened.push(...await Promise.all(indices.map((own) => open(host, (bytes) => onRead?.(own, bytes) ?? true))))
  }
  return opened.filter((socket) => socket !== undefined)
}

async function down() {
  const moved = new Float64Array(count)
  const sockets = await openAll('source.test', (index, bytes) => { moved[index] += bytes })
  // v2ray dials once the client has sent something.
  for (const socket of sockets) socket.write('x')
  const cpu = await measure(() => moved.fill(0))
  return { ...bulk(moved, cpu), slowestToMean: Math.min(...moved) / (moved.reduce((sum, bytes) => sum + bytes, 0) / count) }
}

async function up() {
  const sockets = await openAll('sink.test')
  for (const socket of sockets) {
    const fill = () => { while (!socket.destroyed && socket.write(BLOCK)); }
    socket.on('drain', fill)
    fill()
  }
  let before
  const sent = () => sockets.map((socket) => socket.bytesWritten - socket.writableLength)
  const cpu = await measure(() => { before = sent() })
  return bulk(sent().map((bytes, index) => bytes - before[index]), cpu)
}

function bulk(moved, cpu) {
  return { cpuPerGib: cpu / (moved.reduce((sum, bytes) => sum + bytes, 0) / GIB) }
}

async function setup() {
  let times = []
  const loop = async () => {
    while (running) {
      const start = performance.now()
      const answered = deferred()
      const socket = await open('echo.test', () => answered.resolve(true))
      if (socket === undefined) continue
      socket.once('close', () => answered.resolve(false))
      socket.write('x')
      if (await answered.promise) times.push(performance.now() - start)
      else failures++
      socket.destroy()
    }
  }
  for (let index = 0; index < count; index++) void loop()
  const cpu = await measure(() => { times = [] })
  running = false
  times.sort((a, b) => a - b)
  const at = (share) => times[Math.floor(times.length * share)]
  return { cpuMsPerTunnel: cpu * 1_000 / times.length, p50Ms: at(0.5), p99Ms: at(0.99) }
}

function deferred() {
  const parts = {}
  parts.promise = new Promise((resolve) => { parts.resolve = resolve })
  return parts
}

async function ping() {
  let messages = 0
  const waiting = new Int32Array(count)
  const sockets = []
  const answer = (index, bytes) => {
    waiting[index] -= bytes
    if (waiting[index] > 0) return
    messages++
    waiting[index] = MESSAGE.length
    sockets[index].write(MESSAGE)
  }
  sockets.push(...await openAll('echo.test', answer))
  waiting.fill(MESSAGE.length)
  for (const socket of sockets) socket.write(MESSAGE)
  const cpu = await measure(() => { messages = 0 })
  return { cpuUsPerMessage: cpu * 1e6 / messages }
}

async function idle() {
  const filesBefore = openFiles(pid)
  const before = residentKib(pid)
  const sockets = await openAll('echo.test')
  for (const socket of sockets) socket.write('x')
  await sleep(warmMs + 1_000)
  const kibPerTunnel = (residentKib(pid) - before) / sockets.length
  for (const socket of sockets) socket.destroy()
  await sleep(2_000)
  return { kibPerTunnel, filesLeft: openFiles(pid) - filesBefore }
}

const result = await { down, up, setup, ping, idle }[work]()
process.stdout.write(JSON.stringify({ ...result, failures }), () => process.exit())
