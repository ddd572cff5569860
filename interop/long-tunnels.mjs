/** Tunnels that stay open, and what must come through them. */
import { equal, ok } from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { BANNER } from './targets/raw-target.mjs'
import { openTunnel, readHead } from './tunnel.mjs'

/** Opens so many at once, to the target that speaks first, in turn through each inbound. Resolves when it has spoken in all. */
export function openTunnels(lane, { socks, http }, count, options) {
  const opened = Array.from({ length: count }, (_, index) => openGreeted(lane, index % 2 === 0 ? socks : http, options))
  return Promise.all(opened)
}

export async function openGreeted(lane, inbound, options) {
  const socket = await openTunnel(inbound, lane.targets.banner.port, options)
  // The end that it comes to is for the cell to judge, when it looks.
  socket.on('error', () => {})
  equal(await readHead(socket, () => BANNER.length), BANNER)
  return socket
}

/** Sends other bytes in each, all at once, and expects each to come back whole and in its own tunnel. */
export async function exchange(sockets, bytes) {
  await Promise.all(sockets.map(async (socket) => {
    const sent = randomBytes(bytes)
    socket.write(sent)
    const got = await readHead(socket, () => bytes)
    ok(got === sent.toString('latin1'), `a tunnel gave back other bytes than the ${bytes} sent`)
  }))
}

export function destroyAll(sockets) {
  for (const socket of sockets) socket.destroy()
}

/** How each comes to its end: `end` is FIN or what error, `at` the time. Resolves when all have. */
export function watchEnds(sockets) {
  return Promise.all(sockets.map((socket) => new Promise((resolve) => {
    const note = (end) => resolve({ end, at: performance.now() })
    socket.on('end', () => note('FIN'))
    socket.on('error', (error) => note(error.code ?? error.message))
    socket.on('close', () => note('no end'))
    // Reading by 'readable' before has stopped the flow.
    socket.resume()
  })))
}
