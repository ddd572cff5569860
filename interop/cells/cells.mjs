import { bannerCells } from './banner.mjs'
import { bulkCells } from './bulk.mjs'
import { concurrentCells } from './concurrent.mjs'
import { fetchCells } from './fetch.mjs'
import { halfCloseCells } from './half-close.mjs'
import { refusalCells } from './refusals.mjs'
import { secretCells } from './secrets.mjs'
import { wrongPasswordCells } from './wrong-password.mjs'

/**
 * Every behaviour, in the order in which they run. `applies(upstream)`: where, everywhere by default. `expected(upstream)`: why it fails
 * there; the cell then checks that it fails in that way. `run` rejects when it is otherwise.
 */
export const CELLS = [
  ...fetchCells,
  ...bulkCells,
  ...bannerCells,
  ...halfCloseCells,
  ...refusalCells,
  ...wrongPasswordCells,
  ...concurrentCells,
  ...secretCells,
]
