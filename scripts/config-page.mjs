/**
 * packages/sluice/schema/config.schema.json and docs/config.md: every field of a config, from the schemas of all modules that ship.
 * Writes both; with `--check` it only compares. Reads what the build made.
 */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { buildConfigSchema } from './build-config-schema.mjs'
import { DESCRIPTIONS, NOTES } from './config-notes.mjs'
import { ROOT, finish, fromRoot, read } from './tree.mjs'

const SCHEMA = join(ROOT, 'packages', 'sluice', 'schema', 'config.schema.json')
const PAGE = join(ROOT, 'docs', 'config.md')
const INTRODUCTION = join(ROOT, 'scripts', 'config-introduction.md')

const faults = []
const used = new Set()
let count = 0
const schema = buildConfigSchema()

/** A row for each field of an object, and for those inside it. */
function rowsOf(object, path, shown) {
  const { properties = {}, patternProperties = {}, required = [] } = object
  return [
    ...Object.entries(properties).flatMap(([key, part]) => fieldRows(part, below(path, key), below(shown, key), required.includes(key))),
    ...Object.values(patternProperties).flatMap((part) => rowsOf(part, below(path, 'N'), below(shown, 'N'))),
  ]
}

function fieldRows(part, path, shown, isRequired) {
  if (part.$ref !== undefined) return [row(path, shown, { type: 'object', description: REFERENCES[part.$ref] }, isRequired)]
  const inside = part.items?.properties === undefined ? rowsOf(part, path, shown) : rowsOf(part.items, `${path}[]`, `${shown}[]`)
  return [row(path, shown, part, isRequired), ...inside]
}

const REFERENCES = { '#/definitions/streamSettings': '[The stream](#streamsettings) under the protocol' }

function row(path, shown, part, isRequired) {
  count += 1
  used.add(path)
  const description = part.description ?? DESCRIPTIONS[path]
  if (description === undefined) faults.push(`${path}: its schema has no description, nor has scripts/config-notes.mjs`)
  const initial = isRequired ? 'required' : part.default === undefined ? '' : `\`${JSON.stringify(part.default)}\``
  return `| \`${shown}\` | ${typeOf(part)} | ${initial} | ${cell(description ?? '')} | ${cell(NOTES[path] ?? '')} |`
}

function typeOf(part) {
  if (part.enum !== undefined) return part.enum.map((value) => `\`${JSON.stringify(value)}\``).join(', ')
  if (part.anyOf !== undefined) return [...new Set(part.anyOf.map(typeOf))].join(' or ')
  const { type = 'any', items, properties, additionalProperties } = part
  if (type === 'array') return items === undefined || items.properties !== undefined ? 'list of objects' : `list of ${typeOf(items)}`
  const isMap = type === 'object' && properties === undefined && typeof additionalProperties === 'object'
  return isMap ? `object of ${typeOf(additionalProperties)}` : type
}

function cell(text) {
  const sentence = text.startsWith('v2ray') ? text : text.charAt(0).toUpperCase() + text.slice(1)
  return sentence.replaceAll('|', '\\|').replaceAll('<', '&lt;')
}

function below(path, key) {
  return path === '' ? key : `${path}.${key}`
}

function table(rows) {
  if (rows.length === 0) return 'It has no settings.\n'
  return `| field | type | default | meaning | v2ray and Xray |\n|---|---|---|---|---|\n${rows.join('\n')}\n`
}

function section(title, path, text, rows) {
  used.add(path)
  const paragraphs = [title, text, NOTES[path]].filter((part) => part !== undefined && part !== '')
  return `${paragraphs.join('\n\n')}\n\n${table(rows)}`
}

function handlers(key, kind, about) {
  const { items } = schema.properties[key]
  const settings = { type: 'object', description: 'Those of the protocol, below', default: {} }
  const own = section(`## ${key}`, key, about, rowsOf({ ...items, properties: { ...items.properties, settings } }, `${key}[]`, ''))
  const each = items.properties.protocol.enum.map((protocol) => {
    const path = `${key}[].settings(${protocol})`
    const rows = rowsOf(schema.definitions[`${kind}.${protocol}`], path, '')
    return section(`### ${kind} ${protocol}`, path, `\`settings\` of \`"protocol": "${protocol}"\`.`, rows)
  })
  return [own, ...each]
}

const features = Object.entries(schema.properties).filter(([name]) => !['$schema', 'inbounds', 'outbounds'].includes(name))
const parts = [
  ...handlers('inbounds', 'inbound', `${schema.properties.inbounds.description}.`),
  ...handlers('outbounds', 'outbound', `${schema.properties.outbounds.description}.`),
  section('## streamSettings', 'streamSettings', 'The byte stream under the protocol, of an inbound or outbound.',
    rowsOf(schema.definitions.streamSettings, 'streamSettings', '')),
  ...features.map(([name, part]) =>
    section(`## ${name}`, name, part.description === undefined ? '' : `${part.description}.`, rowsOf(part, name, ''))),
]
for (const path of [...Object.keys(NOTES), ...Object.keys(DESCRIPTIONS)]) {
  if (!used.has(path)) faults.push(`scripts/config-notes.mjs: there is no field '${path}'`)
}

const page = `${read(INTRODUCTION).trimEnd()}\n\n${parts.join('\n')}`
for (const [path, text] of [[SCHEMA, `${JSON.stringify(schema, null, 2)}\n`], [PAGE, page]]) {
  if (!process.argv.includes('--check')) {
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, text)
  } else if (!existsSync(path) || read(path) !== text) {
    faults.push(`${fromRoot(path)} is not what the schemas say: build, then node scripts/config-page.mjs`)
  }
}
finish(faults, `${count} fields of a config are described`)
