/**
 * A Markdown table of the packages: files, lines (rounded to 50) and the packages that their sources import. Prints it;
 * `--check FILE` compares it with the one between the markers in FILE, `--write FILE` puts it there.
 *
 * Names and imports must be the same. Numbers may have drifted a little, so that not every change of a source is one of a document.
 */
import { resolve } from 'node:path'
import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { importsOf } from './imports-of.mjs'
import { finish, fromRoot, packages, read, sourcesOf } from './tree.mjs'

const [BEGIN, END] = ['<!-- packages:begin -->', '<!-- packages:end -->']
const BETWEEN = new RegExp(`(?<=${BEGIN}\n)[^]*?(?=${END})`)
const ROW = /^\| `(?<name>[^`]+)` \| (?<files>\d+) \| (?<lines>\d+) \| (?<imports>.*?) \|$/
const ROUNDED_TO = 50
const DRIFT = 0.2
const SMALL = { files: 3, lines: 150 }

const all = packages()
const folderOf = new Map(all.map(({ name, manifest }) => [manifest.name, name]))

function rowOf(pkg) {
  const sources = sourcesOf(pkg).map(read)
  const imported = new Set(sources.flatMap((source) => importsOf(source).map(({ module }) => folderOf.get(module))))
  imported.delete(undefined)
  imported.delete(pkg.name)
  const lines = sources.reduce((sum, source) => sum + source.split('\n').length - 1, 0)
  return { name: pkg.name, files: sources.length, lines, imports: [...imported].sort().join(', ') || '–' }
}

const rows = all.map(rowOf)
const rounded = (lines) => Math.max(ROUNDED_TO, Math.round(lines / ROUNDED_TO) * ROUNDED_TO)
const table = [
  '| package | files | lines | imports |', '|---|---|---|---|',
  ...rows.map(({ name, files, lines, imports }) => `| \`${name}\` | ${files} | ${rounded(lines)} | ${imports} |`), '',
].join('\n')

function faultsOf(path) {
  const written = BETWEEN.exec(read(path))?.[0]
  if (written === undefined) return [`${fromRoot(path)}: nothing stands between ${BEGIN} and ${END}`]
  const seen = new Map(written.split('\n').map((line) => ROW.exec(line)?.groups).filter(Boolean).map((row) => [row.name, row]))
  const faults = [...seen.keys()].filter((name) => !rows.some((row) => row.name === name)).map((name) => `there is no package '${name}'`)
  for (const row of rows) {
    const claimed = seen.get(row.name)
    if (claimed === undefined) faults.push(`no row for '${row.name}'`)
    else {
      if (claimed.imports !== row.imports) faults.push(`${row.name} imports ${row.imports}, not ${claimed.imports}`)
      for (const key of ['files', 'lines']) {
        const drift = Math.abs(row[key] - Number(claimed[key]))
        if (drift > Math.max(SMALL[key], row[key] * DRIFT)) faults.push(`${row.name} has ${row[key]} ${key}, not ${claimed[key]}`)
      }
    }
  }
  return faults.map((fault) => `${fromRoot(path)}: ${fault}: node scripts/package-table.mjs --write ${fromRoot(path)}`)
}

const { values: { check, write } } = parseArgs({ options: { check: { type: 'string' }, write: { type: 'string' } } })
if (write !== undefined) {
  const text = read(resolve(write))
  if (!BETWEEN.test(text)) throw new Error(`${write} has no ${BEGIN} and ${END}`)
  writeFileSync(resolve(write), text.replace(BETWEEN, table))
} else if (check === undefined) process.stdout.write(table)
if (check !== undefined) finish(faultsOf(resolve(check)), `the table of ${rows.length} packages is right`)
