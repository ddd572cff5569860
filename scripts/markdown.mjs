/** The documents of this project, and what stands in them. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { ROOT, filesUnder, packages } from './tree.mjs'

export function documents() {
  const candidates = ['README.md', 'CONTRIBUTING.md', 'SECURITY.md', 'CHANGELOG.md'].map((name) => join(ROOT, name))
  for (const pkg of packages()) candidates.push(join(pkg.folder, 'README.md'))
  const folders = ['docs', 'interop', 'examples', 'bench'].flatMap((name) => filesUnder(join(ROOT, name), '.md'))
  return [...candidates.filter(existsSync), ...folders]
}

/** The fenced blocks of a text: `info` after the fence, `line` of the first line of `code`, counted from 1. */
export function blocksOf(text) {
  const blocks = []
  let open
  text.split('\n').forEach((line, index) => {
    const fence = /^\s*(?<marks>`{3,}|~{3,})(?<info>.*)$/.exec(line)?.groups
    if (open === undefined) {
      if (fence !== undefined) open = { marks: fence.marks, info: fence.info.trim(), line: index + 2, code: [] }
    } else if (fence !== undefined && fence.info.trim() === '' && fence.marks.startsWith(open.marks)) {
      blocks.push({ info: open.info, line: open.line, code: open.code.join('\n') })
      open = undefined
    } else open.code.push(line)
  })
  return blocks
}

/** The targets of links and images outside fenced blocks, each with its line. */
export function linksOf(text) {
  const inBlock = new Set(blocksOf(text).flatMap(({ line, code }) => code.split('\n').map((_, index) => line + index)))
  return text.split('\n').flatMap((line, index) => {
    if (inBlock.has(index + 1)) return []
    const prose = line.replace(/`[^`]*`/g, '')
    const targets = [...prose.matchAll(/\]\(\s*<?([^)\s>]+)>?[^)]*\)/g), ...prose.matchAll(/^\s*\[[^\]]+\]:\s*(\S+)/g)]
    return targets.map((match) => ({ target: match[1], line: index + 1 }))
  })
}

/** The anchors that a hosting site gives to the headings of a document. */
export function anchorsOf(text) {
  const seen = new Map()
  const inBlock = new Set(blocksOf(text).flatMap(({ line, code }) => code.split('\n').map((_, index) => line + index)))
  return new Set(text.split('\n').flatMap((line, index) => {
    const heading = inBlock.has(index + 1) ? null : /^#{1,6}\s+(.+?)\s*#*$/.exec(line)
    if (heading === null) return []
    const words = heading[1].replace(/\[([^\]]*)\]\([^)]*\)/g, '$1').toLowerCase()
    const slug = words.replace(/[^\p{L}\p{N}\s_-]/gu, '').replace(/\s/g, '-')
    const again = seen.get(slug) ?? 0
    seen.set(slug, again + 1)
    return [again === 0 ? slug : `${slug}-${again}`]
  }))
}
