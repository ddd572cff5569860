/** Builds the packages and packs each as it would be published. */
import { existsSync, readdirSync, rmSync } from 'node:fs'
import { join, relative } from 'node:path'
import { run } from './run-command.mjs'
import { ROOT, packages, read } from './tree.mjs'

const PNPM = ['npx', ['-y', 'pnpm@12.21.0']]
/** What a stranger must find in each tarball. */
const WANTED = ['LICENSE', 'README.md', 'package.json', 'dist/index.js', 'dist/index.d.ts', 'src/index.ts']
const UNWANTED = /^(?:test|node_modules)\/|\.tsbuildinfo$|\.spec\.|(?:^|\/)\./
/** Ranges that only this workspace understands. */
const WORKSPACE_RANGE = /"(?:workspace|catalog):[^"]*"/

/** @returns Name, version and path of each tarball, all in the folder. */
export async function packTarballs(folder) {
  const published = packages().filter(({ manifest }) => manifest.private !== true)
  await run(join(ROOT, 'node_modules', '.bin', 'tsc'), ['-b'], { cwd: ROOT })
  for (const pkg of published) removeStale(pkg)
  const [npx, args] = PNPM
  await run(npx, [...args, '-r', '--filter', './packages/*', 'pack', '--pack-destination', folder], { cwd: ROOT })
  const tarballs = published.map(({ manifest: { name, version } }) => {
    const file = `${name.replace('@', '').replace('/', '-')}-${version}.tgz`
    return { name, version, file, path: join(folder, file) }
  })
  const faults = (await Promise.all(tarballs.map(contentFaults))).flat()
  if (faults.length > 0) throw new Error(faults.join('\n'))
  return tarballs
}

/** The compiler never removes what it built of a source that is gone. */
function removeStale({ folder }) {
  const dist = join(folder, 'dist')
  for (const entry of readdirSync(dist, { withFileTypes: true, recursive: true })) {
    const path = join(entry.parentPath, entry.name)
    const source = join(folder, 'src', relative(dist, path).replace(/(?:\.d\.ts|\.js)(?:\.map)?$/, '.ts'))
    if (entry.isFile() && !existsSync(source)) rmSync(path)
  }
}

async function contentFaults({ name, path }) {
  if (!existsSync(path)) return [`${name}: was not packed`]
  const files = (await run('tar', ['tzf', path])).trim().split('\n').map((file) => file.replace(/^package\//, ''))
  const manifest = await run('tar', ['xzOf', path, 'package/package.json'])
  const range = WORKSPACE_RANGE.exec(manifest)
  const licence = await run('tar', ['xzOf', path, 'package/LICENSE']).catch(() => undefined)
  return [
    ...WANTED.filter((file) => !files.includes(file)).map((file) => `${name}: the tarball lacks ${file}`),
    ...files.filter((file) => UNWANTED.test(file)).map((file) => `${name}: the tarball has ${file}`),
    ...(range === null ? [] : [`${name}: the manifest in the tarball has ${range[0]}`]),
    ...(licence === read(join(ROOT, 'LICENSE')) ? [] : [`${name}: its LICENSE is not that of the project`]),
  ]
}
