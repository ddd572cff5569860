import type { LogLevel, ObjectSchema } from '@sluice/core'

/** What is written, and where. */
export interface LogSettings {
  /** One line per session, at its end: a file, `''` for standard output, or `none`. @default '' */
  readonly access?: string
  /** Everything else: a file, `''` for standard error, or `none`. @default '' */
  readonly error?: string
  /** The least level that is written. @default warning */
  readonly loglevel?: LogLevel | 'none'
}

declare module '@sluice/core' {
  interface FeatureSections {
    log: LogSettings
  }
}

export const logSchema: ObjectSchema<LogSettings> = {
  type: 'object',
  additionalProperties: false,
  properties: {
    access: { type: 'string', description: 'One line per session: a file, "" for standard output, or "none"', default: '' },
    error: { type: 'string', description: 'Everything else: a file, "" for standard error, or "none"', default: '' },
    loglevel: {
      type: 'string',
      enum: ['debug', 'info', 'warning', 'error', 'none'],
      description: 'The least level that is written',
      default: 'warning',
    },
  },
}
