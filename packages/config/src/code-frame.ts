import { printable } from '@sluice/core'
import { maskSecrets } from './mask-secrets.js'
import { withoutByteOrderMark } from './parse-config.js'

const LINES_BEFORE = 2
const MAX_WIDTH = 100

/**
 * The line of a fault with the two lines before it and a caret below, for a terminal. Secrets are masked, comments left out,
 * control characters replaced, and long lines cut to the part around the caret.
 *
 * @param line From 1, as in a fault. @param column From 1.
 */
export function formatCodeFrame(text: string, line: number, column: number): string {
  const lines = maskSecrets(withoutByteOrderMark(text)).split(/\r\n|\r|\n/)
  const first = Math.max(1, line - LINES_BEFORE)
  const margin = String(line).length
  const start = column > MAX_WIDTH ? column - 1 - MAX_WIDTH / 2 : 0
  const rows = lines.slice(first - 1, line).map((content, index) => {
    const number = first + index
    return `${number === line ? '>' : ' '} ${String(number).padStart(margin)} | ${cut(content, number === line ? start : 0)}`.trimEnd()
  })
  return [...rows, `  ${' '.repeat(margin)} | ${' '.repeat(column - 1 - start)}^`].join('\n')
}

function cut(line: string, start: number): string {
  return printable(line.slice(start, start + MAX_WIDTH).replaceAll('\t', ' '))
}
