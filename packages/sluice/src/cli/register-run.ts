import type { Command } from 'commander'
import { withFileOptions, withSource } from './file-options.js'
import { runFile, type RunFileOptions } from './run-file.js'

/** `sluice run`. */
export function registerRun(program: Command): void {
  withFileOptions(program.command('run'))
    .description('run a config file, as v2ray v4 has them')
    .option('--watch', 'reload when a file changes, as SIGHUP does')
    .option('-q, --quiet', 'do not tell what runs once it has started')
    .action((_own: unknown, run: Command) => runFile(withSource(run.optsWithGlobals<RunFileOptions>())))
}
