/** `pnpm check`: every gate but the tests, one line per step; all are run, whatever fails. */
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { ROOT } from './tree.mjs'

const script = (name, ...args) => [process.execPath, join(ROOT, 'scripts', name), ...args]
const STEPS = {
  lint: [join(ROOT, 'node_modules', '.bin', 'oxlint'), '--deny-warnings', '--format=unix', '.'],
  types: script('check-types.mjs'),
  imports: script('check-imports.mjs'),
  sizes: script('check-sizes.mjs'),
  docs: script('check-docs.mjs'),
  examples: script('check-examples.mjs'),
  exports: script('core-exports.mjs', '--check'),
  table: script('package-table.mjs', '--check', join('docs', 'ARCHITECTURE.md')),
  config: script('config-page.mjs', '--check'),
  links: script('check-links.mjs'),
  commands: script('check-commands.mjs'),
  errors: script('check-errors.mjs'),
  cases: script('list-cases.mjs'),
}

const failed = []
for (const [name, [command, ...args]] of Object.entries(STEPS)) {
  const startedAt = performance.now()
  const { status, stdout, stderr, error } = spawnSync(command, args, { cwd: ROOT, encoding: 'utf8', maxBuffer: 1 << 26 })
  const output = `${stdout ?? ''}${stderr ?? ''}${error?.message ?? ''}`.trimEnd()
  const ok = status === 0
  if (!ok) failed.push(name)
  const took = `${((performance.now() - startedAt) / 1000).toFixed(1)} s`
  console.log(`${ok ? 'ok  ' : 'FAIL'} ${name.padEnd(9)} ${took.padStart(7)}  ${ok ? output.split('\n').at(-1) : ''}`.trimEnd())
  if (!ok || name === 'cases') console.log(output.replace(/^/gm, '     '))
}
console.log(failed.length > 0 ? `check failed: ${failed.join(', ')}` : 'check passed')
process.exitCode = failed.length > 0 ? 1 : 0
