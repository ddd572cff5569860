import type { Command } from 'commander'
import { withFileOptions, withSource } from './file-options.js'
import { checkFile, type CheckFileOptions } from './check-file.js'

/** `sluice check`, which v2ray calls `test`. */
export function registerCheck(program: Command): void {
  withFileOptions(program.command('check').alias('test'))
    .description('say whether a config file can be used, and start nothing')
    .option('--strict', 'refuse a config that there are warnings about')
    .option('--json', 'write what there is to say as JSON to standard output')
    .action((_own: unknown, check: Command) => checkFile(withSource(check.optsWithGlobals<CheckFileOptions>())))
}
