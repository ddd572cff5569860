import { ConfigError, fault } from '@sluice/core'
import { applyEdits, format as formatJson } from 'jsonc-parser'
import { parseDocument } from 'yaml'
import { PIECE } from './blank-hash-comments.js'
import { formatOf } from './config-format.js'
import { parseConfig, withoutByteOrderMark, type ParseConfigOptions } from './parse-config.js'

/**
 * A config laid out anew: two blanks for each level, a line for each entry, one line end at the end, no byte order mark. Comments
 * of every kind stay, and so does everything else that is written.
 *
 * @throws {ConfigError} with all faults of the syntax; for TOML, which cannot be laid out without losing its comments.
 */
export function formatConfig(text: string, options: ParseConfigOptions = {}): string {
  const format = formatOf(options.file, options.format)
  parseConfig(text, options)
  const content = withoutByteOrderMark(text)
  if (format === 'json') return formatJsonc(content)
  if (format === 'yaml') return parseDocument(content, { uniqueKeys: false }).toString({ lineWidth: 0 })
  const { file } = options
  throw new ConfigError([{ ...fault([], 'cannot be laid out: only JSON and YAML can'), ...(file === undefined ? {} : { file }) }])
}

function formatJsonc(text: string): string {
  // A "#" alone is too short for the slashes that stand in for it.
  const roomy = text.replace(PIECE, (piece) => (piece === '#' ? '# ' : piece))
  const foreign = roomy.replace(PIECE, (piece) => (piece.startsWith('#') ? `//${'x'.repeat(piece.length - 2)}` : piece))
  const laidOut = applyEdits(roomy, formatJson(foreign, undefined, { tabSize: 2, insertSpaces: true, eol: '\n' }))
  return `${laidOut.replace(/\r\n?/g, '\n').replace(/[ \t]+$/gm, '').trim()}\n`
}
