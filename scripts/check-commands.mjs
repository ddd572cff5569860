/** Every `npx -y pnpm@… SCRIPT` line in a shell block of the documents names a script of package.json and the pinned pnpm. */
import { join } from 'node:path'
import { blocksOf, documents } from './markdown.mjs'
import { ROOT, finish, fromRoot, read } from './tree.mjs'

const PNPM = 'pnpm@12.21.0'
const BUILT_IN = new Set(['install', 'i', 'exec', 'add', 'dlx', 'why'])
const { scripts } = JSON.parse(read(join(ROOT, 'package.json')))
const faults = []
let count = 0
for (const path of documents()) {
  for (const { info, line, code } of blocksOf(read(path))) {
    if (!['sh', 'console', 'bash', 'shell'].includes(info.split(/\s+/)[0])) continue
    code.split('\n').forEach((text, index) => {
      for (const [, pnpm, words] of text.matchAll(/\bnpx\s+(?:-y|--yes)\s+(pnpm@\S+)([^;&|#]*)/g)) {
        count += 1
        const place = `${fromRoot(path)}:${line + index}`
        const name = words.trim().split(/\s+/).filter((word) => !word.startsWith('-') && word !== 'run')[0]
        if (pnpm !== PNPM) faults.push(`${place}: '${pnpm}': the pinned one is ${PNPM}`)
        if (name !== undefined && name !== '' && !BUILT_IN.has(name) && !(name in scripts)) faults.push(`${place}: no script '${name}'`)
      }
    })
  }
}
finish(faults, `${count} commands name a script`)
