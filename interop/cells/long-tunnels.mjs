import { deepEqual, ok } from 'node:assert/strict'
import { setTimeout as delay } from 'node:timers/promises'
import { connectionsTo } from '../connections.mjs'
import { destroyAll, exchange, openGreeted, openTunnels, watchEnds } from '../long-tunnels.mjs'
import { startSluice } from '../sluice.mjs'

const COUNT = 100
const BYTES = 65_536
const CUT = 10
/** No more are needed where the upstream answers as many tunnels in one as it says. */
const FEW_CONNECTIONS = 3

const applies = ({ http2 }) => http2 === true
const answersFew = ({ fewStreams }) => fewStreams === true

/** All are open before the first byte goes, stay until all have got theirs back, and end in order where the upstream passes ends on. */
async function allOpen({ lane, upstream, sluice }) {
  const startedAt = performance.now()
  const sockets = await openTunnels(lane, sluice, COUNT)
  try {
    const openMs = performance.now() - startedAt
    const connections = connectionsTo(upstream.port)
    const figures = `open in ${openMs.toFixed()} ms, over ${connections} connections`
    if (!answersFew(upstream)) ok(connections <= FEW_CONNECTIONS, figures)
    await exchange(sockets, BYTES)
    await exchange(sockets, BYTES)
    if (upstream.losesHalfClose === undefined) {
      for (const socket of sockets) socket.end()
      const ends = await watchEnds(sockets)
      deepEqual([...new Set(ends.map(({ end }) => end))], ['FIN'])
    }
    return figures
  } finally {
    destroyAll(sockets)
  }
}

/** With no connection to begin with, and nothing known of the upstream. */
async function allOpenCold({ lane, upstream }, before = async () => {}) {
  const sluice = await startSluice(lane, upstream)
  try {
    await before(sluice)
    return await allOpen({ lane, upstream, sluice })
  } finally {
    await sluice.stop()
  }
}

/** Apache answers fewer tunnels in a connection in which some were cut, and more in one in which all ended well. */
function allOpenAfterCuts(cell) {
  return allOpenCold(cell, async (sluice) => {
    for (let count = 0; count < CUT; count++) {
      const socket = await openGreeted(cell.lane, sluice.socks)
      socket.resetAndDestroy()
      await delay(20)
    }
  })
}

/** Last of all: no request of any cell went over another version. */
async function onlyHttp2({ upstream }) {
  deepEqual([...new Set(upstream.connects().map(({ version }) => version))], ['2'])
}

export const longTunnelCells = [
  { name: `${COUNT} long tunnels`, applies, run: allOpen },
  { name: `${COUNT} long tunnels, cold`, applies: answersFew, run: (cell) => allOpenCold(cell) },
  { name: `${COUNT} long tunnels, after cuts`, applies: answersFew, run: allOpenAfterCuts },
]
export const protocolCells = [{ name: 'HTTP/2 and nothing else', applies, run: onlyHttp2 }]
