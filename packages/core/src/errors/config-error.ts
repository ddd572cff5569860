import { formatPath, type PathSegment } from '../config/config-path.js'

/** `error` stops the start; `warning`: something is ignored; `notice`: something was read in our way. */
export type Severity = 'error' | 'warning' | 'notice'

/** One fault of a config. `path` is as `formatPath` writes it, and '' for the whole; line and column count from 1. */
export interface Fault {
  readonly path: string
  readonly message: string
  readonly severity: Severity
  readonly line?: number
  readonly column?: number
  readonly file?: string
  /** What to do about it. */
  readonly hint?: string
}

/** Makes a fault. @param at Where, as property names and indices. */
export function fault(at: readonly PathSegment[], message: string, options: { severity?: Severity; hint?: string } = {}): Fault {
  const { severity = 'error', hint } = options
  return { path: formatPath(at), message, severity, ...(hint === undefined ? {} : { hint }) }
}

/** One fault on one line: `file:line:column path: message (hint)`. */
export function formatFault(item: Fault): string {
  const position = item.line === undefined ? item.file : `${item.file ?? 'config'}:${item.line}:${item.column ?? 1}`
  const where = [position, item.path].filter((part) => part !== undefined && part !== '').join(' ')
  const hint = item.hint === undefined ? '' : ` (${item.hint})`
  return `${where === '' ? '' : `${where}: `}${item.message}${hint}`
}

const BRAND = Symbol.for('@sluice/ConfigError')

/** A config that cannot be used, with all of its faults at once. No fault ever repeats a secret value. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
  readonly faults: readonly Fault[]

  constructor(faults: readonly Fault[]) {
    super(`Cannot use this config:\n${faults.map((item) => `  ${formatFault(item)}`).join('\n')}`)
    this.faults = faults
    Object.defineProperty(this, BRAND, { value: true })
  }
}

/** Recognises a `ConfigError` of any copy of this package. */
export function isConfigError(value: unknown): value is ConfigError {
  return value instanceof Error && (value as { [BRAND]?: unknown })[BRAND] === true
}
