import { setTimeout as delay } from 'node:timers/promises'
import { destroyAll, exchange, openGreeted, openTunnels } from '../long-tunnels.mjs'
import { accepts } from '../processes.mjs'
import { until, within } from '../until.mjs'
import { parseConnects } from '../upstreams/connect-log.mjs'

const LIVE = 40
const NEW = 20
const BYTES = 16_384
const TAKE_OVER_LIMIT_MS = 4_000
const END_LIMIT_MS = 6_000

const stillRuns = () => 'The upstream still runs after its last tunnel: a connection was kept open'

/** The upstream says GOAWAY and goes on only for its tunnels; then another one listens in its place. No tunnel is lost. */
async function stoppedAndStarted({ lane, upstream: { port, front }, sluice }) {
  const live = await openTunnels(lane, sluice, LIVE)
  try {
    const { ended } = front.stopGracefully()
    await until(async () => !await accepts(port), { limitMs: TAKE_OVER_LIMIT_MS, otherwise: () => 'The upstream still listens' })
    await exchange(live, BYTES)
    await front.start()
    const fresh = await openTunnels(lane, sluice, NEW)
    await exchange([...live, ...fresh], BYTES)
    destroyAll(live)
    live.push(...fresh)
    await within(ended, { limitMs: END_LIMIT_MS, otherwise: stillRuns })
    await exchange(fresh, BYTES)
  } finally {
    destroyAll(live)
  }
}

/** As operators reload: the next one takes over the port first. Not even a tunnel that opens meanwhile may fail. */
async function replaced({ lane, upstream: { front }, sluice }) {
  const live = await openTunnels(lane, sluice, LIVE)
  const fresh = []
  const opening = { isOver: false }
  const opened = keepOpening(lane, sluice, fresh, opening)
  try {
    const { ended, output } = front.replace()
    const hasTakenOver = until(() => parseConnects(output()).length >= NEW, {
      limitMs: TAKE_OVER_LIMIT_MS,
      otherwise: () => `The new upstream got ${parseConnects(output()).length} tunnels only`,
    })
    await Promise.race([hasTakenOver, opened])
    opening.isOver = true
    await opened
    await exchange([...live, ...fresh], BYTES)
    destroyAll([...live, ...fresh])
    await within(ended, { limitMs: END_LIMIT_MS, otherwise: stillRuns })
    return `${fresh.length} tunnels opened meanwhile, none failed`
  } finally {
    opening.isOver = true
    opened.catch(() => {})
    destroyAll([...live, ...fresh])
  }
}

/** One tunnel after the other; rejects with the first that fails. */
async function keepOpening(lane, { socks, http }, opened, opening) {
  while (!opening.isOver) {
    opened.push(await openGreeted(lane, opened.length % 2 === 0 ? socks : http))
    await delay(5)
  }
}

export const gracefulStopCells = [
  { name: 'graceful stop and start', applies: ({ canFail }) => canFail === true, run: stoppedAndStarted },
  { name: 'replaced while tunnels open', applies: ({ canTakeOver }) => canTakeOver === true, run: replaced },
]
