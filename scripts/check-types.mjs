/** Builds every package, then type-checks the tests, which are projects of their own. */
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { ROOT, filesUnder, packages } from './tree.mjs'

function tsc(...args) {
  const { status } = spawnSync(join(ROOT, 'node_modules', '.bin', 'tsc'), args, { cwd: ROOT, stdio: 'inherit' })
  return status === 0
}

const tests = packages()
  .filter((pkg) => filesUnder(join(pkg.folder, 'test'), '.ts').length > 0)
  .map((pkg) => join('packages', pkg.name, 'test'))
const failed = []
if (!tsc('-b')) failed.push('tsc -b')
for (const path of tests) {
  if (!tsc('-p', path, '--noEmit')) failed.push(path)
}
console.log(failed.length > 0 ? `does not compile: ${failed.join(', ')}` : `the packages and ${tests.length} test projects compile`)
process.exitCode = failed.length > 0 ? 1 : 0
