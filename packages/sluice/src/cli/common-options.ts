import { Option, type Command } from 'commander'
import type { LogSettings } from '../log/log-settings.js'

/** What every way to run has. */
export interface CommonOptions {
  /** Let anybody in on a public address. @default false */
  readonly allowOpen?: boolean
  /** In place of the config's own. @default warning */
  readonly logLevel?: LogSettings['loglevel']
  /** In place of the config's own. @default text */
  readonly logFormat?: LogSettings['format']
}

const LOG_LEVELS = ['debug', 'info', 'warning', 'error', 'none'] as const

/** Gives a command what every way to run has, before or after a subcommand's name. */
export function withCommonOptions(command: Command): Command {
  return command
    .option('--allow-open', 'let anybody in on a public address')
    .addOption(new Option('--log-level <level>', 'the least level that is logged').choices(LOG_LEVELS))
    .addOption(new Option('--log-format <format>', 'lines as v2ray writes them, or one JSON object each').choices(['text', 'json']))
}

/** A config as the command runs it: failures are always told, unless the config says otherwise. What is no object stays as it is. */
export function withDefaults(config: unknown, { allowOpen = false, logLevel, logFormat }: CommonOptions): unknown {
  if (!isObject(config)) return config
  const { log = { access: 'none' }, inbounds } = config
  const opened = allowOpen && Array.isArray(inbounds)
    ? { inbounds: inbounds.map((inbound: unknown) => withKey(inbound, { allowOpen })) } : {}
  const asked = { ...(logLevel === undefined ? {} : { loglevel: logLevel }), ...(logFormat === undefined ? {} : { format: logFormat }) }
  return { ...config, ...opened, log: withKey(log, asked) }
}

function withKey(value: unknown, key: Record<string, unknown>): unknown {
  return isObject(value) ? { ...value, ...key } : value
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
