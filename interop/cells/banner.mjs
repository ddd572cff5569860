import { equal } from 'node:assert/strict'
import { BANNER } from '../targets/raw-target.mjs'
import { openTunnel, readHead } from '../tunnel.mjs'

/** The target speaks first, and the client has not said a word. */
async function greetsFirst(lane, inbound) {
  const socket = await openTunnel(inbound, lane.targets.banner.port)
  try {
    equal(await readHead(socket, () => BANNER.length), BANNER)
  } finally {
    socket.destroy()
  }
}

export const bannerCells = [
  { name: 'banner first by SOCKS', run: ({ lane, sluice }) => greetsFirst(lane, sluice.socks) },
  { name: 'banner first by HTTP', run: ({ lane, sluice }) => greetsFirst(lane, sluice.http) },
]
