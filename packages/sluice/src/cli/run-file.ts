import { loadConfig, type LoadConfigOptions } from './load-config.js'
import { serve } from './serve.js'

/** Runs config files until a signal. @throws {ConfigError} whose faults have their positions in the files. */
export async function runFile(options: LoadConfigOptions): Promise<void> {
  const { instance, remarks } = await loadConfig(options)
  await serve(instance, { remarks })
}
