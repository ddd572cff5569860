import type { Command } from 'commander'
import { withFileOptions, withSource } from './file-options.js'
import type { LoadConfigOptions } from './load-config.js'
import { runFile } from './run-file.js'

/** `sluice run`. */
export function registerRun(program: Command): void {
  withFileOptions(program.command('run'))
    .description('run a config file, as v2ray v4 has them')
    .action((_own: unknown, run: Command) => runFile(withSource(run.optsWithGlobals<LoadConfigOptions>())))
}
