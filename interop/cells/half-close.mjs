import { deepEqual } from 'node:assert/strict'
import { startSluice } from '../sluice.mjs'
import { openTunnel, readAll } from '../tunnel.mjs'

/** The client ends its side after 5 bytes; what comes back after that, and how it ends. */
async function lateReply(lane, inbound) {
  const socket = await openTunnel(inbound, lane.targets.late.port)
  socket.end('12345')
  return readAll(socket)
}

const WHOLE = { text: 'got 5\n', end: 'FIN' }
const LOST = { text: '', end: 'FIN' }

/** The expected failure is a check too: nothing arrives, and the client is told of the end at once. */
const expected = ({ losesHalfClose }) => losesHalfClose

async function propagated({ lane, upstream, inbound }) {
  deepEqual(await lateReply(lane, inbound), expected(upstream) ? LOST : WHOLE)
}

/** With `halfClose: hold` the FIN stays here, so that the tunnel lives until the target ends it: the target sees no FIN. */
async function held({ lane, upstream }) {
  const sluice = await startSluice(lane, upstream, { settings: { halfClose: 'hold' } })
  try {
    const socket = await openTunnel(sluice.socks, lane.targets.closing.port)
    socket.end('12345')
    deepEqual(await readAll(socket), WHOLE)
  } finally {
    await sluice.stop()
  }
}

export const halfCloseCells = [
  { name: 'half-close by SOCKS', expected, run: (cell) => propagated({ ...cell, inbound: cell.sluice.socks }) },
  { name: 'half-close by HTTP', expected, run: (cell) => propagated({ ...cell, inbound: cell.sluice.http }) },
  { name: 'half-close, held', run: held },
]
