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
/** For declarations that have no comment of their own. One that has gained it loses its line here: the check says so. */
const SENTENCES = {
  DialOptions: 'What a dial needs beside its destination: a signal, and ALPN protocols if they differ.',
  PolicyManager: 'Knows the policy of each user level.',
  Router: 'Says which outbound carries a session.',
  DialerSpec: 'What a dialer is made of: the tag, stream settings, local address and chain of its outbound.',
  ListenerFactory: 'Makes the one listener of each inbound handler.',
  ListenerSpec: 'Where a listener listens, and how.',
  InboundConfig: 'An inbound of a config, with the settings of its protocol.',
  OutboundConfig: 'An outbound of a config, with the settings of its protocol.',
  PathSegment: 'A property name or an index.',
  FeatureDefinition: 'What `defineFeature` returns.',
  InboundDefinition: 'What `defineInbound` returns.',
  OutboundDefinition: 'What `defineOutbound` returns.',
  TransportDefinition: 'What `defineTransport` returns.',
  ProxyErrorCode: 'One of the keys of `ERROR_CODES`.',
  ProxyErrorOptions: 'What is known of a failure beside code and message.',
  InstanceEventName: 'The name of an event.',
  LogEntry: 'One line of the log, before it is text.',
  LogLevel: 'How grave a log entry is.',
  InstanceOptions: 'What `createInstance` needs beside the config.',
  StopOptions: 'How patient `stop()` is.',
}

const faults = []
const all = exportsOf(join(SOURCES, 'index.ts'))
const tokens = new Map([...read(join(SOURCES, 'tokens.ts')).matchAll(TOKEN)].map(({ groups: { name, type, provider } }) =>
  [name, `Token of the \`${type}\`, which ${provider === '@sluice/core' ? 'core' : provider} provides.`]))

function sentenceOf({ name, doc }) {
  if (doc !== undefined) {
    if (name in SENTENCES) faults.push(`scripts/core-exports.mjs: '${name}' has a comment of its own now, so it needs no line here`)
    return firstSentence(doc)
  }
  const sentence = tokens.get(name) ?? SENTENCES[name]
  if (sentence === undefined) faults.push(`packages/core/src/index.ts: '${name}' has no documentation comment`)
  return sentence ?? ''
}

for (const { name, kind, path } of all) {
  if (kind === undefined) faults.push(`packages/core/src/index.ts: cannot find '${name}' in ${relative(SOURCES, path)}`)
}
for (const name of Object.keys(SENTENCES)) {
  if (!all.some((one) => one.name === name)) faults.push(`scripts/core-exports.mjs: core exports no '${name}'`)
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
