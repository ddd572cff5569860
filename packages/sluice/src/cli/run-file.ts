import { isConfigError } from '@sluice/core'
import { Proxy } from '../library/proxy.js'
import { FileConfigError, printFaults } from './faults.js'
import { loadConfig, type LoadConfigOptions, type LoadedConfig } from './load-config.js'
import { untilStopped } from './serve.js'
import { formatStartBlock } from './start-block.js'
import { watchFiles } from './watch-files.js'

export interface RunFileOptions extends LoadConfigOptions {
  /** Reload when a file changes. @default false */
  readonly watch?: boolean
  /** Say nothing when it has started. @default false */
  readonly quiet?: boolean
}

/**
 * Runs config files until a signal. SIGHUP, or with `watch` a change of a file, reads them again: a config that cannot be used is
 * told and changes nothing.
 *
 * @throws {ConfigError} whose faults have their positions in the files.
 */
export async function runFile({ watch = false, quiet = false, ...options }: RunFileOptions): Promise<void> {
  let loaded: LoadedConfig | undefined
  const proxy = new Proxy(async (modules, outbounds) => {
    if (loaded !== undefined && options.config?.includes('-') === true) throw new Error('Standard input can be read only once')
    const next = await loadConfig(options, { modules, outbounds })
    printFaults(next.remarks, next.texts)
    loaded = next
    return next
  })
  const tell = (): void => {
    const { listening } = proxy
    const lines = formatStartBlock({ listening, config: loaded?.document.config ?? {}, remarks: loaded?.remarks ?? [] })
    if (!quiet) process.stderr.write(`${lines.join('\n')}\n`)
  }
  const reload = async (why: string): Promise<void> => {
    try {
      await proxy.reload()
      process.stderr.write(`sluice: ${why}: the config was reloaded, open sessions go on\n`)
      tell()
    } catch (error) {
      if (isConfigError(error)) printFaults(error.faults, error instanceof FileConfigError ? error.texts : undefined)
      else process.stderr.write(`sluice: ${error instanceof Error ? error.message : String(error)}\n`)
      process.stderr.write(`sluice: ${why}: nothing was changed\n`)
    }
  }
  const onHangUp = (): void => void reload('SIGHUP')
  await proxy.start()
  // Whoever reads that it runs may send the signal at once.
  process.on('SIGHUP', onHangUp)
  const stopWatching = watch ? watchFiles(pathsIn(options), () => void reload('a file changed')) : () => {}
  const stopped = untilStopped(proxy)
  tell()
  try {
    await stopped
  } finally {
    stopWatching()
    process.off('SIGHUP', onHangUp)
  }
}

function pathsIn({ config = [], confdir }: LoadConfigOptions): string[] {
  return [...config.filter((path) => path !== '-'), ...(confdir === undefined ? [] : [confdir])]
}
