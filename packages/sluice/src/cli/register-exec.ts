import type { Command } from 'commander'
import { withCommonOptions } from './common-options.js'
import { runExec, type ExecOptions } from './exec.js'
import { withUpstreamOptions } from './upstream-options.js'

const list = (text: string, before: readonly string[] = []): readonly string[] =>
  [...before, ...text.split(',').map((entry) => entry.trim()).filter((entry) => entry !== '')]

/** `sluice exec`. */
export function registerExec(program: Command): void {
  withCommonOptions(withUpstreamOptions(program.command('exec')))
    .description('run a command with a proxy of its own in HTTP_PROXY, HTTPS_PROXY and ALL_PROXY, and exit as it does')
    .usage('[options] -- <command> [args...]')
    .argument('<command...>', 'what to run')
    .option('--allow <hosts>', 'let it reach these only: names, *.names, addresses, CIDR blocks, each with :port if wanted', list)
    .option('--deny <hosts>', 'keep it from these', list)
    .option('--audit <file>', 'append a JSON line for each session')
    .option('-q, --quiet', 'no summary at the end')
    .passThroughOptions()
    .action((words: string[], _own: unknown, command: Command) => runExec(words, command.optsWithGlobals<ExecOptions>()))
}
