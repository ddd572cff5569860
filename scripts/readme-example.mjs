/** The library example of README.md: the first ts block under "In a program". */
import { join } from 'node:path'
import { blocksOf } from './markdown.mjs'
import { ROOT, read } from './tree.mjs'

const HEADING = '## In a program'

export function readmeExample() {
  const text = read(join(ROOT, 'README.md'))
  const block = blocksOf(text.slice(text.indexOf(HEADING))).find(({ info }) => info === 'ts')
  if (!text.includes(HEADING) || block === undefined) throw new Error(`README.md has no ts block under "${HEADING}"`)
  return `${block.code}\n`
}
