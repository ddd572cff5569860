import type { Command } from 'commander'
import { withCommonOptions } from './common-options.js'
import { runDoctor, type DoctorOptions } from './doctor.js'
import { withUpstreamOptions } from './upstream-options.js'

/** `sluice doctor`. */
export function registerDoctor(program: Command): void {
  withCommonOptions(withUpstreamOptions(program.command('doctor')))
    .description('go the way to a URL step by step, with the time of each, and say what to do about the one that fails')
    .argument('<url>', 'http:// or https://')
    .option('-c, --config <file>', 'take outbounds and rules from a config, where there is neither -F nor --env',
      (file: string, before: readonly string[] = []) => [...before, file])
    .option('--json', 'write the result as JSON')
    .action((url: string, _own: unknown, command: Command) => runDoctor(url, command.optsWithGlobals<DoctorOptions>()))
}
