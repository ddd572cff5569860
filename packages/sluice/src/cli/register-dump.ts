import type { Command } from 'commander'
import { canonicalConfig } from './canonical-config.js'
import { printFaults } from './faults.js'
import { withFileOptions, withSource } from './file-options.js'
import { loadConfig, type LoadConfigOptions } from './load-config.js'

/** `sluice dump`. */
export function registerDump(program: Command): void {
  withFileOptions(program.command('dump'))
    .description('write the config that all files make together to standard output, without its secrets')
    .option('--json', 'as JSON, which is the only form')
    .action((_own: unknown, dump: Command) => dumpConfig(withSource(dump.optsWithGlobals<LoadConfigOptions>())))
}

/** Writes what config files come to, as one config in its present words and with stars for secrets. @throws {ConfigError} */
export async function dumpConfig(options: LoadConfigOptions): Promise<void> {
  const { document, instance, remarks, texts } = await loadConfig(options)
  await instance.stop()
  printFaults(remarks, texts)
  process.stdout.write(`${JSON.stringify(canonicalConfig(document.config, { masked: true }), null, 2)}\n`)
}
