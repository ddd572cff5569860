import { isConfigError, type Fault } from '@sluice/core'
import { FileConfigError, inOrder, printFaults } from './faults.js'
import { loadConfig, type LoadConfigOptions } from './load-config.js'

export interface CheckFileOptions extends LoadConfigOptions {
  /** Write what there is to say as JSON to standard output. @default false */
  readonly json?: boolean
  /** Refuse a config that there are warnings about. @default false */
  readonly strict?: boolean
}

/** Says whether config files can be used, and starts nothing. @throws {ConfigError} as `runFile`, if they cannot. */
export async function checkFile({ json = false, strict = false, ...options }: CheckFileOptions): Promise<void> {
  try {
    const { instance, remarks, texts } = await loadConfig(options)
    await instance.stop()
    const faults = strict ? remarks.map(asError) : remarks
    if (faults.some(({ severity }) => severity === 'error')) throw new FileConfigError(faults, texts)
    if (json) printJson(faults)
    else printFaults(faults, texts)
    if (!json) process.stdout.write('Configuration OK.\n')
  } catch (error) {
    if (json && isConfigError(error)) printJson(error.faults)
    throw error
  }
}

/** Notices stay what they are: they tell of nothing that is lost. */
function asError(item: Fault): Fault {
  return item.severity === 'warning' ? { ...item, severity: 'error' } : item
}

function printJson(faults: readonly Fault[]): void {
  const ok = !faults.some(({ severity }) => severity === 'error')
  process.stdout.write(`${JSON.stringify({ ok, faults: inOrder(faults) })}\n`)
}
