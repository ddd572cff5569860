import { locateFaults, readConfig } from '@sluice/config'
import { ConfigError, createInstance, isConfigError, type Config, type Instance } from '@sluice/core'
import { modules } from '../modules.js'
import { withDefaults, type CommonOptions } from './common-options.js'
import { serve } from './serve.js'

export interface RunFileOptions extends CommonOptions {
  /** A path, or `-` for standard input. */
  readonly config: string
}

/** Runs a config file until a signal. @throws {ConfigError} whose faults have their positions in the file. */
export async function runFile({ config: path, ...options }: RunFileOptions): Promise<void> {
  const document = await readConfig(path)
  const locating = <T>(action: () => T): T => {
    try {
      return action()
    } catch (error) {
      throw isConfigError(error) ? new ConfigError(locateFaults(error.faults, document)) : error
    }
  }
  const instance: Instance = locating(() => createInstance(withDefaults(document.config, options) as Config, { modules }))
  await serve(instance, { remarks: locateFaults([...document.remarks, ...instance.remarks], document) })
}
