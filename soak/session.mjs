/** One session of the soak: what the client does, and what must come of it. */
import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { openTunnel, readAll } from '../interop/tunnel.mjs'

const NOISE = randomBytes(1 << 20)

/**
 * Opens a tunnel, does one thing with it, and says how long the opening took, in ms. Throws when something else came of it than must.
 *
 * @param random - The next number below its argument.
 * @param faultsPercent - The share of sessions with a fault.
 */
export async function runSession(inbound, targets, { random, faultsPercent }) {
  const isFault = random(1_000) < 10 * faultsPercent
  const act = isFault ? FAULTS[random(FAULTS.length)] : random(5) === 0 ? lateReply : echo
  return await act(inbound, targets, random)
}

async function timed(inbound, target) {
  const startedAt = performance.now()
  const socket = await openTunnel(inbound, target.port)
  return { socket, openMs: performance.now() - startedAt }
}

/** Bytes go there and back, then both ends. */
async function echo(inbound, { echo: target }, random) {
  const { socket, openMs } = await timed(inbound, target)
  const bytes = slice(random)
  const hash = createHash('sha256')
  socket.on('data', (chunk) => hash.update(chunk))
  socket.resume()
  socket.end(bytes)
  await once(socket, 'end')
  socket.destroy()
  if (hash.digest('hex') !== sha256(bytes)) throw new Error('the echo differs')
  return openMs
}

/** The reply comes after the client's end: a half-close. */
async function lateReply(inbound, { late }, random) {
  const { socket, openMs } = await timed(inbound, late)
  const bytes = slice(random)
  socket.end(bytes)
  const { text, end } = await readAll(socket)
  if (end !== 'FIN' || !text.includes(sha256(bytes))) throw new Error(`the late reply is ${JSON.stringify(text)}, then ${end}`)
  return openMs
}

async function clientResets(inbound, { echo: target }, random) {
  const { socket, openMs } = await timed(inbound, target)
  socket.on('error', () => {})
  socket.write(slice(random))
  await new Promise((resolve) => setTimeout(resolve, random(20)))
  socket.resetAndDestroy()
  return openMs
}

async function targetResets(inbound, { reset: target }) {
  const { socket, openMs } = await timed(inbound, target)
  socket.write('reset me')
  const { text } = await readAll(socket)
  if (text !== '') throw new Error('a target that resets said something')
  return openMs
}

async function nobodyListens(inbound, { closed }) {
  try {
    const socket = await openTunnel(inbound, closed)
    socket.destroy()
  } catch (error) {
    if (/answered/.test(error.message)) return undefined
    throw error
  }
  throw new Error('a tunnel to a closed port opened')
}

const FAULTS = [clientResets, targetResets, nobodyListens]

function slice(random) {
  const length = random(4) === 0 ? random(1 << 18) : random(4_096)
  const at = random(NOISE.length - length)
  return NOISE.subarray(at, at + length)
}

function sha256(bytes) {
  return createHash('sha256').update(bytes).digest('hex')
}
