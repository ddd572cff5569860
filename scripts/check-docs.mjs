/**
 * Every ```ts block of the documents and of the documentation comments compiles against the sources of the packages.
 *
 * Blocks stand alone, and are all modules of one program. Only a block fenced as ```ts ignore is left out, and is counted.
 */
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { commentText } from './doc-comments.mjs'
import { blocksOf, documents } from './markdown.mjs'
import { ROOT, finish, fromRoot, packages, read, sourcesOf } from './tree.mjs'

const faults = []
const left = []
const blocks = []

function collect(path, text) {
  for (const { info, line, code } of blocksOf(text)) {
    const [language, ...words] = info.split(/\s+/)
    if (language !== 'ts' && language !== 'typescript') continue
    if (words.includes('ignore')) left.push(`${fromRoot(path)}:${line}`)
    else blocks.push({ path: fromRoot(path), line, code })
  }
}

for (const path of documents()) collect(path, read(path))
for (const path of packages().flatMap(sourcesOf)) {
  const text = commentText(read(path))
  collect(path, text)
  for (const match of text.matchAll(/^@example\b(?![^@]*?```ts)/gm)) {
    faults.push(`${fromRoot(path)}:${text.slice(0, match.index).split('\n').length}: an @example without a \`\`\`ts block`)
  }
}

const cache = join(ROOT, 'node_modules', '.cache')
mkdirSync(cache, { recursive: true })
const folder = mkdtempSync(join(cache, 'doc-blocks-'))
const nameOf = (index) => `block-${index}.mts`
try {
  // Empty lines in front, so that the compiler's line is the document's.
  blocks.forEach(({ line, code }, index) => writeFileSync(join(folder, nameOf(index)), `${'\n'.repeat(line - 1)}${code}\nexport {}\n`))
  const paths = Object.fromEntries(packages().map((pkg) => [pkg.manifest.name, [join(pkg.folder, 'src', 'index.ts')]]))
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({
    extends: join(ROOT, 'tsconfig.base.json'),
    compilerOptions: {
      composite: false, declaration: false, declarationMap: false, sourceMap: false, noEmit: true,
      noUnusedLocals: false, noUnusedParameters: false, customConditions: ['@sluice/source'], paths, rootDir: ROOT,
    },
    files: blocks.map((_, index) => nameOf(index)),
  }))
  if (blocks.length > 0) {
    const { status, stdout } = spawnSync(join(ROOT, 'node_modules', '.bin', 'tsc'), ['-p', folder], { cwd: folder, encoding: 'utf8' })
    const lines = stdout.split('\n').filter((line) => line.trim() !== '')
    for (const line of lines) {
      const at = /^block-(\d+)\.mts\((\d+),(\d+)\): (.*)$/.exec(line)
      if (at !== null) faults.push(`${blocks[Number(at[1])].path}:${at[2]}:${at[3]}: ${at[4]}`)
    }
    if (status !== 0 && faults.length === 0) faults.push(`tsc ended with ${status}, not because of a block: ${lines[0] ?? ''}`)
  }
} finally {
  rmSync(folder, { recursive: true, force: true })
}

for (const place of left) console.log(`left out: ${place}`)
finish(faults, `${blocks.length} blocks compile, ${left.length} left out`)
