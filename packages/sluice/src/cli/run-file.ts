import { locateFaults, type ConfigDocument } from '@sluice/config'
import { ConfigError, createInstance, isConfigError, type Config, type Fault, type Instance } from '@sluice/core'
import { modules } from '../modules.js'
import { withDefaults, type CommonOptions } from './common-options.js'
import { FileConfigError, inOrder, printFaults } from './faults.js'
import { createLeniently } from './lenient.js'
import { readConfigs, type ConfigSources } from './read-configs.js'
import { serve } from './serve.js'

export interface RunFileOptions extends CommonOptions, ConfigSources {
  /** Ignore unknown keys with a warning. @default false */
  readonly lenient?: boolean
}

export interface CheckFileOptions extends RunFileOptions {
  /** Write what there is to say as JSON to standard output. @default false */
  readonly json?: boolean
}

/** Runs config files until a signal. @throws {ConfigError} whose faults have their positions in the files. */
export async function runFile(options: RunFileOptions): Promise<void> {
  const { instance, remarks } = await load(options)
  await serve(instance, { remarks })
}

/** Says whether config files can be used, and starts nothing. @throws {ConfigError} as `runFile`, if they cannot. */
export async function checkFile({ json = false, ...options }: CheckFileOptions): Promise<void> {
  try {
    const { instance, remarks } = await load(options)
    await instance.stop()
    if (json) printJson(remarks)
    else printFaults(remarks)
    if (!json) process.stdout.write('Configuration OK.\n')
  } catch (error) {
    if (json && isConfigError(error)) printJson(error.faults)
    throw error
  }
}

function printJson(faults: readonly Fault[]): void {
  const ok = !faults.some(({ severity }) => severity === 'error')
  process.stdout.write(`${JSON.stringify({ ok, faults: inOrder(faults) })}\n`)
}

interface Loaded {
  readonly instance: Instance
  readonly remarks: readonly Fault[]
}

async function load(options: RunFileOptions): Promise<Loaded> {
  const texts = new Map<string, string>()
  try {
    return create(await readConfigs(options, texts), options)
  } catch (error) {
    throw isConfigError(error) ? new FileConfigError(error.faults, texts) : error
  }
}

function create(document: ConfigDocument, { lenient = false, ...options }: RunFileOptions): Loaded {
  const { instance, faults } = tryCreate(withDefaults(document.config, options), lenient)
  const remarks = [...document.remarks, ...locateFaults(faults, document)]
  // A dialect may be an error too, though what it left behind can be built.
  if (instance === undefined || remarks.some(({ severity }) => severity === 'error')) throw new ConfigError(remarks)
  return { instance, remarks }
}

function tryCreate(config: unknown, lenient: boolean): { readonly instance?: Instance, readonly faults: readonly Fault[] } {
  try {
    if (lenient) return createLeniently(config)
    const instance = createInstance(config as Config, { modules })
    return { instance, faults: instance.remarks }
  } catch (error) {
    if (isConfigError(error)) return { faults: error.faults }
    throw error
  }
}
