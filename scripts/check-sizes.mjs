/** A file has one job: the median of the sources stays small, none is long, and a line fits a screen. */
import { finish, fromRoot, packages, read, sourcesOf } from './tree.mjs'

const MEDIAN_LINES = 110
const MAX_LINES = 300
const MAX_COLUMNS = 140

const files = packages().flatMap(sourcesOf).map((path) => {
  const lines = read(path).replace(/\n$/, '').split('\n')
  return { path: fromRoot(path), lines }
}).sort((a, b) => b.lines.length - a.lines.length)

const median = files[Math.floor(files.length / 2)]?.lines.length ?? 0
const faults = files
  .filter(({ lines }) => lines.length > MAX_LINES)
  .map(({ path, lines }) => `${path}: ${lines.length} lines, at most ${MAX_LINES}`)
if (median > MEDIAN_LINES) faults.push(`the median is ${median} lines, at most ${MEDIAN_LINES}`)
if (faults.length > 0) {
  for (const { path, lines } of files.slice(0, 15)) console.log(`${String(lines.length).padStart(6)}  ${path}`)
}
for (const { path, lines } of files) {
  lines.forEach((line, index) => {
    if (line.length > MAX_COLUMNS) faults.push(`${path}:${index + 1}: ${line.length} columns, at most ${MAX_COLUMNS}`)
  })
}

finish(faults, `${files.length} files, median ${median} lines, longest ${files[0]?.lines.length ?? 0}`)
