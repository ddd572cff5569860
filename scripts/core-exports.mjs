/**
 * docs/core-exports.md: every name that core exports, with the first sentence of its documentation comment.
 * Writes the page; with `--check` it only compares.
 */
import { existsSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { exportsOf, firstSentence } from './exports-of.mjs'
import { ROOT, finish, read } from './tree.mjs'

const SOURCES = join(ROOT, 'packages', 'core', 'src')
const PAGE = join(ROOT, 'docs', 'core-exports.md')
/** The sections of the page, by the folder of the declaration. */
const SECTIONS = {
  contracts: 'Contracts', definition: 'Modules', '': 'Helpers, tokens, events', errors: 'Errors', config: 'Configs', instance: 'Instances',
}
const TOKEN = /^export const (?<name>[A-Z_]+) = createToken<(?<type>\w+)>\('[^']*', '(?<provider>[^']*)'\)/gm

const faults = []
const all = exportsOf(join(SOURCES, 'index.ts'))
const tokens = new Map([...read(join(SOURCES, 'tokens.ts')).matchAll(TOKEN)].map(({ groups: { name, type, provider } }) =>
  [name, `Token of the \`${type}\`, which ${provider === '@sluice/core' ? 'core' : provider} provides.`]))

function sentenceOf({ name, doc }) {
  if (doc !== undefined) return firstSentence(doc)
  const sentence = tokens.get(name)
  if (sentence === undefined) faults.push(`packages/core/src/index.ts: '${name}' has no documentation comment`)
  return sentence ?? ''
}

for (const { name, kind, path } of all) {
  if (kind === undefined) faults.push(`packages/core/src/index.ts: cannot find '${name}' in ${relative(SOURCES, path)}`)
}

const sections = Object.entries(SECTIONS).map(([folder, title]) => {
  const rows = all.filter(({ path }) => relative(SOURCES, dirname(path)) === folder)
    .map((one) => `| \`${one.name}\` | ${one.kind} | ${sentenceOf(one).replaceAll('|', '\\|')} |`)
  return `## ${title}\n\n| name | kind | |\n|---|---|---|\n${rows.join('\n')}\n`
})
for (const { name, path } of all) {
  if (!(relative(SOURCES, dirname(path)) in SECTIONS)) faults.push(`scripts/core-exports.mjs: no section for '${name}'`)
}
const text = `# What core exports

The ${all.length} names of \`@sluice/core\`, a sentence each. Made from the documentation comments, which say the rest, by
\`node scripts/core-exports.mjs\`.

${sections.join('\n')}`

if (!process.argv.includes('--check')) writeFileSync(PAGE, text)
else if (!existsSync(PAGE) || read(PAGE) !== text) faults.push('docs/core-exports.md is not what the sources say: node scripts/core-exports.mjs')
finish(faults, `${all.length} exports of core have a sentence`)
