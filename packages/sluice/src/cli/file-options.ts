import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { Option, type Command } from 'commander'
import { CONFIG_FORMATS } from '@sluice/config'
import { withCommonOptions } from './common-options.js'
import { UsageError } from './proxy-url.js'
import type { ConfigSources } from './read-configs.js'

/** Gives a command the options that say which config it works on, and how it is read. */
export function withFileOptions(command: Command): Command {
  return withCommonOptions(command)
    .option('-c, --config <file>', 'JSON with comments, YAML or TOML; "-" reads standard input; several are merged as v2ray does; '
    + 'without it config.json, here or in $V2RAY_LOCATION_CONFIG',
    (file: string, before: readonly string[] = []) => [...before, file])
    .option('--confdir <folder>', 'all configs of a folder, by name, after those of -c; without it $V2RAY_LOCATION_CONFDIR')
    .addOption(new Option('--format <format>', 'of all configs, whatever their names end with').choices(CONFIG_FORMATS))
    .option('--lenient', 'ignore unknown keys with a warning, except in rules')
    .option('--skip-unknown', 'leave out handlers of unknown protocols with a warning')
}

type Environment = Readonly<Record<string, string | undefined>>

/**
 * The same options with the places where v2ray looks, where they name none: the folder in `V2RAY_LOCATION_CONFDIR`, else
 * `config.json` in the working directory, else the one in `V2RAY_LOCATION_CONFIG`.
 *
 * @throws {UsageError} if there is no config at all.
 */
export function withSource<T extends ConfigSources>(options: T, env: Environment = process.env): T {
  const { config, confdir = located(env, 'CONFDIR') } = options
  const sources = { ...options, ...(confdir === undefined ? {} : { confdir }) }
  if (config !== undefined || confdir !== undefined) return sources
  const folder = located(env, 'CONFIG')
  const found = ['config.json', ...(folder === undefined ? [] : [join(folder, 'config.json')])].find(existsSync)
  if (found !== undefined) return { ...sources, config: [found] }
  const places = folder === undefined ? 'here' : `here or in ${folder}`
  throw new UsageError(`Cannot go on without a config: use --config FILE, for there is no config.json ${places}`)
}

/** v2ray has two spellings for each of its variables. */
function located(env: Environment, name: 'CONFIG' | 'CONFDIR'): string | undefined {
  return env[`V2RAY_LOCATION_${name}`] ?? env[`v2ray.location.${name.toLowerCase()}`]
}
