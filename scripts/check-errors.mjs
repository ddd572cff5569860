/** The codes of docs/errors.md are the codes of the built core, both ways, with the same answers. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { ROOT, finish, read } from './tree.mjs'

const DOCUMENT = join(ROOT, 'docs', 'errors.md')
const BUILT = join(ROOT, 'packages', 'core', 'dist', 'index.js')

/** The first cells of the rows of every table that is headed `code`, each with its line; a cell may hold several codes. */
function codesIn(text) {
  const found = []
  let inTable = false
  text.split('\n').forEach((line, index) => {
    const cell = /^\s*\|([^|]*)\|/.exec(line)?.[1]?.trim()
    if (cell === undefined) inTable = false
    else if (cell.replace(/[`*]/g, '').toLowerCase() === 'code') inTable = true
    else if (inTable) for (const [code] of cell.matchAll(/\b[A-Z][A-Z_]+\b/g)) found.push({ code, line: index + 1 })
  })
  return found
}

async function faultsOf() {
  const missing = [DOCUMENT, BUILT].filter((path) => !existsSync(path))
  if (missing.length > 0) return missing.map((path) => `${path} is missing`)
  const { ERROR_CODES } = await import(pathToFileURL(BUILT).href)
  const written = codesIn(read(DOCUMENT))
  const faults = []
  for (const { code, line } of written) {
    if (!(code in ERROR_CODES)) faults.push(`docs/errors.md:${line}: '${code}' is no code`)
  }
  for (const code of Object.keys(ERROR_CODES)) {
    const count = written.filter((row) => row.code === code).length
    if (count === 0) faults.push(`docs/errors.md: no row for '${code}'`)
    if (count > 1) faults.push(`docs/errors.md: ${count} rows for '${code}'`)
  }
  return faults
}

finish(await faultsOf(), 'docs/errors.md and the codes are one set')
