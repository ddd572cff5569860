/**
 * Which protocol cases of P0 and P1 have no test whose title begins with their id. Only tells, unless ranges must be complete:
 * `--strict C001-C087,C140-C154`.
 */
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { filesUnder, finish, packages, read } from './tree.mjs'

const { values } = parseArgs({ options: { strict: { type: 'string' } } })
const list = read(join(dirname(fileURLToPath(import.meta.url)), 'cases.txt'))
const cases = list.trim().split('\n').map((line) => line.split(' ')).filter(([, priority]) => priority !== 'P2')

const covered = new Set()
// The compliance suites of the testkit are sources.
const files = packages().flatMap((pkg) => ['test', 'src'].flatMap((name) => filesUnder(join(pkg.folder, name), '.ts')))
for (const path of files) {
  for (const [ids] of read(path).matchAll(/(?<=['"`])C\d{3}(?:(?:, | )C\d{3})*(?= )/g)) for (const id of ids.split(/, | /)) covered.add(id)
}

const ranges = (values.strict ?? '').split(',').filter(Boolean).map((range) => range.split('-'))
const strict = (id) => ranges.some(([from, to = from]) => id >= from && id <= to)
const missing = cases.filter(([id]) => !covered.has(id))
for (const priority of ['P0', 'P1']) {
  const ids = missing.filter((row) => row[1] === priority).map(([id]) => id)
  const total = cases.filter((row) => row[1] === priority).length
  console.log(`${priority}: ${total - ids.length} of ${total} have a test${ids.length > 0 ? `; without: ${ids.join(' ')}` : ''}`)
}
finish(missing.filter(([id]) => strict(id)).map(([id]) => `${id} has no test`), 'no case that must have a test is without')
