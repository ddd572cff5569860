import { createInstance, type Config, type Instance } from '@sluice/core'
import { modules } from '../modules.js'
import type { CommonOptions } from './common-options.js'
import { hasEnvironmentProxy } from './env-proxies.js'
import { loadConfig, type LoadConfigOptions } from './load-config.js'
import { upstreamConfig, type UpstreamOptions } from './upstream-options.js'

/** What a command that opens tunnels of its own goes through: `-F`, else the environment with `--env`, else a config file. */
export interface ClientOptions extends CommonOptions, UpstreamOptions {
  readonly config?: readonly string[]
}

/**
 * The config without inbounds: outbounds and rules.
 * @throws {UsageError} @throws {ConfigError} for a file that cannot be used.
 */
export async function clientConfig(options: ClientOptions): Promise<Config> {
  const { config: files, forward, env = false, logLevel } = options
  const isGiven = forward !== undefined || (env && hasEnvironmentProxy(process.env))
  const base = files === undefined || isGiven ? upstreamConfig(options) : await configOf({ config: files })
  return { ...base, inbounds: [], ...(logLevel === undefined ? {} : { log: { access: 'none', loglevel: logLevel } }) }
}

/** A started instance of it. */
export async function startClient(config: Config): Promise<Instance> {
  const instance = createInstance(config, { modules })
  await instance.start()
  return instance
}

async function configOf(options: LoadConfigOptions): Promise<Config> {
  const { document, instance } = await loadConfig(options)
  await instance.stop()
  return document.config as Config
}
