import { fault, type Fault, type LogLevel, type ObjectSchema } from '@sluice/core'
import { ADDRESS_MASK } from './address-mask.js'

/** What is written, and where. */
export interface LogSettings {
  /** One line per session, at its end: a file, `''` for standard output, or `none`. @default '' */
  readonly access?: string
  /** Everything else: a file, `''` for standard error, or `none`. @default '' */
  readonly error?: string
  /** The least level that is written. @default warning */
  readonly loglevel?: LogLevel | 'none'
  /** Accepted without effect: queries are not logged. */
  readonly dnsLog?: boolean
  /** How much of IP addresses is hidden: `quarter`, `half`, `full`, or what is kept, as `/16+/32`. @default '' */
  readonly maskAddress?: string
  /** Lines as v2ray writes them, or one JSON object each. @default text */
  readonly format?: 'text' | 'json'
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
    dnsLog: { type: 'boolean', description: 'Ignored: queries are not logged' },
    maskAddress: {
      description: 'quarter (1.2.*.*), half (1.*.*.*), full, or what is kept of IP addresses, as /16+/32',
      anyOf: [{ type: 'string', pattern: ADDRESS_MASK }],
      default: '',
    },
    format: { type: 'string', enum: ['text', 'json'], description: 'Lines as v2ray writes them, or one JSON object each', default: 'text' },
  },
}

/** What is accepted in vain. */
export function checkLog({ dnsLog }: LogSettings): Fault[] {
  const faults: Fault[] = []
  if (dnsLog === true) faults.push(fault(['dnsLog'], 'is ignored: queries are not logged', { severity: 'warning' }))
  return faults
}
