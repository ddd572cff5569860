/**
 * The packages of examples/ compile, with their tests, against the built types of the packages; and every block of a document that
 * names a file after its language, as ```ts examples/…, is that file.
 */
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { blocksOf, documents } from './markdown.mjs'
import { run } from './run-command.mjs'
import { ROOT, finish, fromRoot, read } from './tree.mjs'

const EXAMPLES = join(ROOT, 'examples')
const TSC = join(ROOT, 'node_modules', '.bin', 'tsc')

const examples = readdirSync(EXAMPLES).filter((name) => existsSync(join(EXAMPLES, name, 'package.json')))
const compiled = examples.map((name) => run(TSC, ['-p', join(EXAMPLES, name, 'test')], { cwd: ROOT }).then(() => [], (error) => [error.message]))

let count = 0
const listings = documents().flatMap((path) => blocksOf(read(path)).flatMap(({ info, line, code }) => {
  const file = info.split(/\s+/).find((word) => word.includes('/'))
  if (file === undefined) return []
  count += 1
  const place = `${fromRoot(path)}:${line}`
  if (!existsSync(join(ROOT, file))) return [`${place}: there is no ${file}`]
  return read(join(ROOT, file)) === `${code}\n` ? [] : [`${place}: is not what ${file} is`]
}))

finish([...(await Promise.all(compiled)).flat(), ...listings], `${examples.length} examples compile, ${count} listings are what their files are`)
