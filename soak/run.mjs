/**
 * The soak: mixed tunnels over HTTP/1.1, TLS and HTTP/2, a hundredth of them faulty, for a given time. Afterwards the program must hold
 * what it held before: descriptors, timers, listeners, heap.
 *
 * `node soak/run.mjs [--minutes 1] [--in-flight 64] [--faults 1] [--seed N]`; `--faults` is the share of faulty tunnels in per
 * cent. Prints a line per tenth, then the verdict; exit code 1 if it is bad.
 */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { parseArgs } from 'node:util'
import { KINDS, startPeers } from './peers.mjs'
import { runSession } from './session.mjs'

const PARTS = 10
const WARM_UP_SESSIONS = 3_000
const MIB = 1 << 20

const { values } = parseArgs({
  options: {
    'minutes': { type: 'string', default: '1' },
    'in-flight': { type: 'string', default: '64' },
    'faults': { type: 'string', default: '1' },
    'seed': { type: 'string', default: String(Date.now() % 1_000_000) },
  },
})
const [minutes, inFlight, faultsPercent, seed] = ['minutes', 'in-flight', 'faults', 'seed'].map((name) => Number(values[name]))
if (!(minutes > 0 && inFlight > 0 && faultsPercent >= 0 && Number.isInteger(seed))) {
  console.error('soak: --minutes, --in-flight, --faults and --seed take numbers')
  process.exit(2)
}

const peers = await startPeers()
const subject = fork(new URL('subject.mjs', import.meta.url), { execArgv: ['--expose-gc'] })
subject.once('exit', (code) => {
  if (code) fail(`the program ended with ${code}`)
})
subject.send(peers.config)
const [{ ports }] = await once(subject, 'message')
const inbounds = KINDS.flatMap((_, index) => ['socks5h', 'http'].map((scheme) => ({ scheme, port: ports[index] })))

console.log(`seed ${seed}, ${minutes} min, ${inFlight} sessions at once, ${faultsPercent} % faulty, Node ${process.version}`)
const random = randomFrom(seed)
const failures = []
let done = 0

await runUntil(() => done >= WARM_UP_SESSIONS)
const baseline = await measure()
console.log(row('at', 'tunnels', 'failed', 'fds', 'timers', 'heap MiB', 'RSS MiB', 'p99 open ms'))
console.log(line('0', baseline, 0))
const p99s = []
for (let part = 1; part <= PARTS; part++) {
  const endsAt = performance.now() + minutes * 60_000 / PARTS
  const openMs = await runUntil(() => performance.now() >= endsAt)
  p99s.push(p99(openMs))
  console.log(line(`${part}/${PARTS}`, await measure(), p99s.at(-1)))
}
await judge(await measure())
subject.disconnect()
await peers.close()

/** Keeps sessions in flight until then, and waits for the last. @returns how long each took to open, in ms. */
async function runUntil(isOver) {
  const openMs = []
  await Promise.all(Array.from({ length: inFlight }, async () => {
    while (!isOver()) {
      const inbound = inbounds[random(inbounds.length)]
      try {
        const took = await runSession(inbound, peers.targets, { random, faultsPercent })
        if (took !== undefined) openMs.push(took)
      } catch (error) {
        failures.push(`${inbound.scheme} ${KINDS[ports.indexOf(inbound.port)]}: ${error.message}`)
      }
      done++
    }
  }))
  return openMs
}

async function measure() {
  subject.send('measure')
  const [held] = await once(subject, 'message')
  return held
}

async function judge(end) {
  const grown = ['sessions', 'fds', 'timers', 'listeners'].filter((what) => end[what] > baseline[what])
  const faults = [...failures.slice(0, 10), ...grown.map((what) => `${what}: ${baseline[what]} → ${end[what]}`)]
  const grownBytes = end.heapBytes - baseline.heapBytes
  if (grownBytes > Math.max(0.03 * baseline.heapBytes, 2 * MIB)) faults.push(`the heap grew by ${(grownBytes / MIB).toFixed(1)} MiB`)
  const more = ['fds', 'timers', 'listeners'].map((what) => `${what} +${end[what] - baseline[what]}`).join(', ')
  const slower = (p99s.at(-1) / p99s[0]).toFixed(2)
  console.log(`${done} tunnels, ${failures.length} failed; ${more}, heap +${(grownBytes / MIB).toFixed(2)} MiB; last p99 ${slower} × the first`)
  for (const fault of faults) console.log(`FAIL ${fault}`)
  process.exitCode = faults.length > 0 ? 1 : 0
}

function fail(message) {
  console.error(`FAIL ${message}`)
  process.exit(1)
}

function line(at, held, openMs) {
  const memory = [(held.heapBytes / MIB).toFixed(1), (held.rssBytes / MIB).toFixed(0)]
  return row(at, done, failures.length, held.fds, held.timers, ...memory, openMs.toFixed(1))
}

function row(...cells) {
  return cells.map((cell) => String(cell).padStart(12)).join('')
}

function p99(numbers) {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length * 0.99)] ?? 0
}

/** Numbers that look random and are the same for the same seed (Lehmer). */
function randomFrom(start) {
  let state = start % 2_147_483_646 + 1
  return (below) => {
    state = state * 48_271 % 2_147_483_647
    return state % below
  }
}
