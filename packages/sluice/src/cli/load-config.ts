import { locateFaults, type ConfigDocument } from '@sluice/config'
import {
  ConfigError, createInstance, isConfigError, type Config, type Fault, type Instance, type Module, type OutboundConfig,
} from '@sluice/core'
import { modules as shipped } from '../modules.js'
import { withDefaults, type CommonOptions } from './common-options.js'
import { FileConfigError, type Texts } from './faults.js'
import { createLeniently } from './lenient.js'
import { readConfigs, type ConfigSources } from './read-configs.js'

export interface LoadConfigOptions extends CommonOptions, ConfigSources {
  /** Ignore unknown keys with a warning. @default false */
  readonly lenient?: boolean
}

export interface LoadedConfig {
  /** What was read, merged and in today's words. */
  readonly document: ConfigDocument
  /** Made of it, and not started. */
  readonly instance: Instance
  readonly remarks: readonly Fault[]
  /** What the files hold, for faults that are told later. */
  readonly texts: Texts
}

/** What a program adds to config files. */
export interface LoadConfigExtras {
  /** @default all that ship */
  readonly modules?: readonly Module[]
  /** Come after those of the files. @default none */
  readonly outbounds?: readonly OutboundConfig[]
}

/** Reads config files and makes an instance of them. @throws {ConfigError} whose faults have their positions in the files. */
export async function loadConfig(options: LoadConfigOptions, extras: LoadConfigExtras = {}): Promise<LoadedConfig> {
  const texts = new Map<string, string>()
  try {
    return { ...create(await readConfigs(options, texts), options, extras), texts }
  } catch (error) {
    throw isConfigError(error) ? new FileConfigError(error.faults, texts) : error
  }
}

function create(
  document: ConfigDocument, { lenient = false, ...options }: LoadConfigOptions, { modules = shipped, outbounds = [] }: LoadConfigExtras,
): Omit<LoadedConfig, 'texts'> {
  const { instance, faults } = tryCreate(withOutbounds(withDefaults(document.config, options), outbounds), lenient, modules)
  const remarks = withoutRepeats([...document.remarks, ...locateFaults(faults, document)])
  // A dialect may be an error too, though what it left behind can be built.
  if (instance === undefined || remarks.some(({ severity }) => severity === 'error')) throw new ConfigError(remarks)
  return { document, instance, remarks }
}

function tryCreate(
  config: unknown, lenient: boolean, modules: readonly Module[],
): { readonly instance?: Instance, readonly faults: readonly Fault[] } {
  try {
    if (lenient) return createLeniently(config, modules)
    const instance = createInstance(config as Config, { modules })
    return { instance, faults: instance.remarks }
  } catch (error) {
    if (isConfigError(error)) return { faults: error.faults }
    throw error
  }
}

/** What was written once and became several handlers is told once. */
function withoutRepeats(faults: readonly Fault[]): Fault[] {
  return [...new Map(faults.map((item) => [JSON.stringify(item), item])).values()]
}

function withOutbounds(config: unknown, more: readonly OutboundConfig[]): unknown {
  const { outbounds } = (config ?? {}) as { outbounds?: unknown }
  return more.length > 0 && Array.isArray(outbounds) ? { ...config as object, outbounds: [...outbounds as unknown[], ...more] } : config
}
