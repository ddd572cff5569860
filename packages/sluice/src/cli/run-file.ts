import { text } from 'node:stream/consumers'
import { loadConfigFile, locateFaults, parseConfig, type ConfigDocument } from '@sluice/config'
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
  const document = path === '-' ? parseConfig(await text(process.stdin), { file: 'stdin' }) : await loadConfigFile(path)
  const instance = createLocated(document, options)
  await serve(instance, { remarks: [...document.remarks, ...locateFaults(instance.remarks, document)] })
}

function createLocated(document: ConfigDocument, options: CommonOptions): Instance {
  try {
    return createInstance(withDefaults(document.config, options) as Config, { modules })
  } catch (error) {
    throw isConfigError(error) ? new ConfigError([...document.remarks, ...locateFaults(error.faults, document)]) : error
  }
}
