import { bannerCells } from './banner.mjs'
import { bulkCells } from './bulk.mjs'
import { chainedEndCells } from './chained-ends.mjs'
import { concurrentCells } from './concurrent.mjs'
import { fetchCells } from './fetch.mjs'
import { gracefulStopCells } from './graceful-stop.mjs'
import { halfCloseCells } from './half-close.mjs'
import { killedCells } from './killed.mjs'
import { longTunnelCells, protocolCells } from './long-tunnels.mjs'
import { refusalCells } from './refusals.mjs'
import { secretCells } from './secrets.mjs'
import { silentCells } from './silent.mjs'
import { wrongPasswordCells } from './wrong-password.mjs'

/**
 * Every behaviour, in the order in which they run. `applies(upstream)`: where, everywhere by default. `expected(upstream)`: why it fails
 * there; the cell then checks that it fails in that way. `limitMs`: how long it may take, 12 s by default. `isBeside`: it runs beside
 * the others, with an upstream of its own. `run` rejects when it is otherwise; it may resolve to figures, which are shown.
 */
export const CELLS = [
  ...fetchCells,
  ...bulkCells,
  ...bannerCells,
  ...halfCloseCells,
  ...chainedEndCells,
  ...refusalCells,
  ...wrongPasswordCells,
  ...concurrentCells,
  ...longTunnelCells,
  ...gracefulStopCells,
  ...killedCells,
  ...silentCells,
  ...protocolCells,
  ...secretCells,
]
