/** What publint and attw have to say about a tarball. Neither asks the network. */
import { join } from 'node:path'
import { run } from './run-command.mjs'
import { ROOT } from './tree.mjs'

const bin = (name) => join(ROOT, 'node_modules', '.bin', name)
const AT_ONCE = 4

export async function lintTarballs(tarballs) {
  const waiting = tarballs.flatMap(({ path }) => [
    [bin('publint'), ['run', path, '--strict']],
    [bin('attw'), [path, '--profile', 'esm-only', '--no-definitely-typed']],
  ])
  const faults = []
  const worker = async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      await run(...next).catch((error) => { faults.push(error.message) })
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, worker))
  if (faults.length > 0) throw new Error(faults.join('\n'))
}
