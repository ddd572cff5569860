/**
 * `pnpm pack:check`: every package builds to a tarball that publint and attw find nothing wrong with; the tarballs install into an
 * empty folder with npm, and there the README's example, the command and the packages of examples/ compile and run.
 *
 * Needs the npm registry for the packages' own dependencies. Leaves nothing behind.
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { lintTarballs } from './pack-lint.mjs'
import { importAll, install, runCommand, runExample, runThirdParty } from './pack-smoke.mjs'
import { packTarballs } from './pack-tarballs.mjs'

const base = mkdtempSync(join(tmpdir(), 'sluice-pack-'))
const remove = () => rmSync(base, { recursive: true, force: true })
for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, () => {
    remove()
    process.exit(1)
  })
}

async function step(name, work) {
  const startedAt = performance.now()
  const result = await work()
  console.log(`ok   ${name}  ${((performance.now() - startedAt) / 1000).toFixed(1)} s`)
  return result
}

try {
  const [packed, stranger] = ['packed', 'stranger'].map((name) => join(base, name))
  for (const folder of [packed, stranger]) mkdirSync(folder)
  const tarballs = await step('build and pack', () => packTarballs(packed))
  await step('publint and attw', () => lintTarballs(tarballs))
  await step('install into an empty folder', () => install(stranger, tarballs))
  await step('import every package', () => importAll(stranger, tarballs))
  await step('sluice --version', () => runCommand(stranger, tarballs.find(({ name }) => name === 'sluice').version))
  await step("the README's example, through a proxy", () => runExample(stranger))
  await step('an outbound of somebody else', () => runThirdParty(stranger, 'outbound-socks4a', 'socks4aOutbound'))
  await step('an inbound of somebody else', () => runThirdParty(stranger, 'inbound-line', 'lineInbound'))
  console.log(`${tarballs.length} packages can be published`)
} catch (error) {
  console.log(`FAIL ${error.message}`)
  process.exitCode = 1
} finally {
  remove()
}
