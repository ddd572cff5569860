import { deepEqual, equal } from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { startSluice } from '../sluice.mjs'
import { openTunnel, readAll } from '../tunnel.mjs'
import { within } from '../until.mjs'

/** An end that is passed on at all is passed on at once; the rest is for a busy machine. */
const PASSED_ON_MS = 3_000

/** Runs with a tunnel through the upstream to itself, and from there to a target of its own. */
async function throughTwo({ lane, upstream }, run, settings = {}) {
  const sluice = await startSluice(lane, upstream, { isChain: true, settings })
  const target = createServer({ allowHalfOpen: true }).listen(0, '127.0.0.1')
  const sockets = new Set()
  target.on('connection', (socket) => sockets.add(socket.on('error', () => {})))
  try {
    await once(target, 'listening')
    const reached = once(target, 'connection')
    const client = await openTunnel(sluice.socks, target.address().port)
    sockets.add(client.on('error', () => {}))
    const [socket] = await reached
    client.write('hello')
    deepEqual(String((await once(socket, 'data'))[0]), 'hello')
    return await run(client, socket)
  } finally {
    for (const socket of sockets) socket.destroy()
    target.close()
    await sluice.stop()
  }
}

/** How a socket ends: FIN, or what error. */
function endOf(socket, whose) {
  const end = new Promise((resolve) => {
    socket.resume().once('end', () => resolve('FIN')).once('error', ({ code }) => resolve(code)).once('close', () => resolve('CLOSED'))
  })
  return within(end, { limitMs: PASSED_ON_MS, otherwise: () => `${whose} still believes in its tunnel after ${PASSED_ON_MS} ms` })
}

/** Checked as well: what was reset reaches the other side as an end in order, and at once. */
const expected = () => 'squid knows no reset: what is reset on one side, it ends in order on the other'

function clientResets(cell) {
  return throughTwo(cell, async (client, target) => {
    const end = endOf(target, 'the target')
    client.resetAndDestroy()
    equal(await end, 'FIN')
  })
}

function targetResets(cell) {
  return throughTwo(cell, async (client, target) => {
    const end = endOf(client, 'the client')
    target.resetAndDestroy()
    equal(await end, 'FIN')
  })
}

/** With `halfClose: hold` the client's end stays at the first hop, so that squid does not end the tunnel before the reply. */
function held(cell) {
  return throughTwo(cell, async (client, target) => {
    client.end(' and goodbye')
    equal(String((await once(target, 'data'))[0]), ' and goodbye')
    target.end('a late reply')
    deepEqual(await readAll(client), { text: 'a late reply', end: 'FIN' })
  }, { halfClose: 'hold' })
}

const applies = ({ name }) => name.startsWith('squid')

export const chainedEndCells = [
  { name: 'reset by the client through two', applies, expected, run: clientResets },
  { name: 'reset by the target through two', applies, expected, run: targetResets },
  { name: 'half-close, held, through two', applies, run: held },
]
