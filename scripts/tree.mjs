/** Where the sources of this workspace are, for every script that reads them. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'

export const ROOT = fileURLToPath(new URL('..', import.meta.url))

export function fromRoot(path) {
  return relative(ROOT, path)
}

export function read(path) {
  return readFileSync(path, 'utf8')
}

/** Every file under a folder whose name ends so, sorted; none when the folder is absent. */
export function filesUnder(folder, ending) {
  if (!existsSync(folder)) return []
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(ending))
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => !/[/\\](?:node_modules|dist)[/\\]/.test(path))
    .sort()
}

/** The packages: folder name, absolute folder and manifest of each. */
export function packages() {
  const base = join(ROOT, 'packages')
  return readdirSync(base)
    .filter((name) => existsSync(join(base, name, 'package.json')))
    .sort()
    .map((name) => ({ name, folder: join(base, name), manifest: JSON.parse(read(join(base, name, 'package.json'))) }))
}

export function sourcesOf(pkg) {
  return filesUnder(join(pkg.folder, 'src'), '.ts')
}

/** Prints every fault and ends the process: 1 with faults, 0 with the sentence. */
export function finish(faults, sentence) {
  for (const fault of faults) console.log(fault)
  if (faults.length > 0) console.log(`${faults.length} ${faults.length === 1 ? 'fault' : 'faults'}`)
  else console.log(sentence)
  process.exitCode = faults.length > 0 ? 1 : 0
}
