import type { Command } from 'commander'
import { withCommonOptions } from './common-options.js'
import { UsageError } from './proxy-url.js'
import type { ConfigSources } from './read-configs.js'

/** Gives a command the options that say which config it works on, and how it is read. */
export function withFileOptions(command: Command): Command {
  return withCommonOptions(command)
    .option('-c, --config <file>', 'JSON with comments; "-" reads standard input; several are merged as v2ray does',
      (file: string, before: readonly string[] = []) => [...before, file])
    .option('--confdir <folder>', 'all .json files of a folder, by name, after those of -c')
    .option('--lenient', 'ignore unknown keys with a warning, except in rules')
    .option('--skip-unknown', 'leave out handlers of unknown protocols with a warning')
}

/** The same options. @throws {UsageError} if they name no config. */
export function withSource<T extends ConfigSources>(options: T): T {
  if (options.config !== undefined || options.confdir !== undefined) return options
  throw new UsageError('Cannot go on without a config: use --config FILE')
}
