import { ConfigError, type Fault } from '@sluice/core'
import { parseTree, type ParseError } from 'jsonc-parser'
import { blankHashComments } from './blank-hash-comments.js'
import { TreeDocument, type ConfigDocument } from './config-document.js'
import { formatOf, type ConfigFormat } from './config-format.js'
import { LineMap } from './line-map.js'
import { depthFault, syntaxFaults } from './syntax-faults.js'
import { parseToml, TomlDocument } from './toml-document.js'
import { parseYamlTree } from './yaml-tree.js'

export interface ParseConfigOptions {
  /** Names the text in faults. */
  readonly file?: string
  /** @default auto */
  readonly format?: ConfigFormat
}

/**
 * Reads a config as people write it: YAML, TOML, or JSON with comments (`//`, `#`, and between slashes and stars) and commas behind
 * the last entry; each with or without a byte order mark. Nothing is checked but the syntax.
 *
 * @throws {ConfigError} with all faults of the syntax at once, each with its line and column; of TOML with the first.
 */
export function parseConfig(text: string, { file, format }: ParseConfigOptions = {}): ConfigDocument {
  const parsed = PARSERS[formatOf(file, format)](text, file)
  if (!('faults' in parsed)) return parsed
  throw new ConfigError(file === undefined ? parsed.faults : parsed.faults.map((item) => ({ ...item, file })))
}

type Parsed = ConfigDocument | { readonly faults: readonly Fault[] }

const PARSERS = { json: parseJson, yaml: parseYaml, toml: parseTomlText }

function parseJson(text: string, file?: string): Parsed {
  const json = blankHashComments(withoutByteOrderMark(text))
  const lines = new LineMap(json)
  const tooDeep = depthFault(json, lines)
  if (tooDeep !== undefined) return { faults: [tooDeep] }
  const errors: ParseError[] = []
  const root = parseTree(json, errors, { allowTrailingComma: true })
  if (root === undefined || errors.length > 0) return { faults: syntaxFaults(json, root, errors, lines) }
  return new TreeDocument(text, root, lines, file)
}

function parseYaml(text: string, file?: string): Parsed {
  const yaml = withoutByteOrderMark(text)
  const lines = new LineMap(yaml)
  const tree = parseYamlTree(yaml, lines)
  return 'root' in tree ? new TreeDocument(text, tree.root, lines, file) : tree
}

function parseTomlText(text: string, file?: string): Parsed {
  const parsed = parseToml(withoutByteOrderMark(text))
  return 'config' in parsed ? new TomlDocument(text, parsed.config, file) : parsed
}

/** The text without the mark that some editors put at its beginning. It has no column of its own. */
export function withoutByteOrderMark(text: string): string {
  return text.startsWith('\uFEFF') ? text.slice(1) : text
}
