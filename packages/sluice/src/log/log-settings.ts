import { fault, type Fault, type LogLevel, type ObjectSchema } from '@sluice/core'

/** What is written, and where. */
export interface LogSettings {
  /** One line per session, at its end: a file, `''` for standard output, or `none`. @default '' */
  readonly access?: string
  /** Everything else: a file, `''` for standard error, or `none`. @default '' */
  readonly error?: string
  /** The least level that is written. @default warning */
  readonly loglevel?: LogLevel | 'none'
  /** Accepted without effect: nothing here asks name servers itself. */
  readonly dnsLog?: boolean
  /** Accepted without effect: addresses are logged whole. */
  readonly maskAddress?: string
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
    dnsLog: { type: 'boolean', description: 'Ignored: nothing here asks name servers itself' },
    maskAddress: { type: 'string', description: 'Ignored: addresses are logged whole' },
  },
}

/** What is accepted in vain. */
export function checkLog({ dnsLog, maskAddress }: LogSettings): Fault[] {
  const faults: Fault[] = []
  if (dnsLog === true) faults.push(fault(['dnsLog'], 'is ignored: nothing here asks name servers itself', { severity: 'warning' }))
  if (maskAddress !== undefined) faults.push(fault(['maskAddress'], 'is ignored: addresses are logged whole', { severity: 'warning' }))
  return faults
}
