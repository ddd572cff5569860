import { ConfigError } from '@sluice/core'
import { parseTree, type ParseError } from 'jsonc-parser'
import { blankHashComments } from './blank-hash-comments.js'
import { TreeDocument, type ConfigDocument } from './config-document.js'
import { LineMap } from './line-map.js'
import { depthFault, syntaxFaults } from './syntax-faults.js'

export interface ParseConfigOptions {
  /** Names the text in faults. */
  readonly file?: string
}

/**
 * Reads a config as people write it: JSON, and also comments (`//`, `#`, and between slashes and stars), commas behind the last
 * entry, and a byte order mark. Nothing is checked but the syntax.
 *
 * @throws {ConfigError} with all faults of the syntax at once, each with its line and column.
 */
export function parseConfig(text: string, { file }: ParseConfigOptions = {}): ConfigDocument {
  const json = blankHashComments(withoutByteOrderMark(text))
  const lines = new LineMap(json)
  const refuse = (faults: ConfigError['faults']): never => {
    throw new ConfigError(file === undefined ? faults : faults.map((item) => ({ ...item, file })))
  }
  const tooDeep = depthFault(json, lines)
  if (tooDeep !== undefined) return refuse([tooDeep])
  const errors: ParseError[] = []
  const root = parseTree(json, errors, { allowTrailingComma: true })
  if (root === undefined || errors.length > 0) return refuse(syntaxFaults(json, root, errors, lines))
  return new TreeDocument(text, root, lines, file)
}

/** The text without the mark that some editors put at its beginning. It has no column of its own. */
export function withoutByteOrderMark(text: string): string {
  return text.startsWith('\uFEFF') ? text.slice(1) : text
}
