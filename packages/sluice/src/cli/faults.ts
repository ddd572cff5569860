import { formatCodeFrame } from '@sluice/config'
import { ConfigError, formatFault, type Fault } from '@sluice/core'

const MAX_FRAMES = 10

/** The texts of config files by the names that faults call them. */
export type Texts = ReadonlyMap<string, string>

/** A config error of files whose text is at hand. */
export class FileConfigError extends ConfigError {
  readonly texts: Texts

  constructor(faults: readonly Fault[], texts: Texts) {
    super(faults)
    this.texts = texts
  }
}

/**
 * Writes faults to standard error, one line each in the order of the file, and how many errors there were. The first ten whose
 * text is at hand are shown in it: errors, or warnings where there are no errors.
 */
export function printFaults(faults: readonly Fault[], texts: Texts = new Map()): void {
  const errors = faults.filter(({ severity }) => severity === 'error').length
  const gravest = errors > 0 ? 'error' : 'warning'
  let frames = 0
  for (const item of inOrder(faults)) {
    process.stderr.write(`${item.severity}: ${formatFault(item)}\n`)
    const text = texts.get(item.file ?? '')
    if (item.severity !== gravest || text === undefined || item.line === undefined || frames++ >= MAX_FRAMES) continue
    process.stderr.write(`${formatCodeFrame(text, item.line, item.column ?? 1)}\n`)
  }
  if (errors > 0) process.stderr.write(`sluice: cannot use this config: ${errors} ${errors === 1 ? 'error' : 'errors'}\n`)
}

/** By file in the order of their first fault, then by position. */
export function inOrder(faults: readonly Fault[]): Fault[] {
  const files = [...new Set(faults.map(({ file }) => file))]
  return [...faults].sort((a, b) =>
    files.indexOf(a.file) - files.indexOf(b.file) || (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0))
}
