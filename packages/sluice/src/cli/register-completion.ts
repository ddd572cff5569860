import type { Command } from 'commander'
import { completionScript } from './completion.js'

/** `sluice completion`. */
export function registerCompletion(program: Command): void {
  program.command('completion')
    .description('write a script that completes command lines, for bash, zsh or fish')
    .argument('<shell>', 'bash, zsh or fish')
    .addHelpText('after', `
bash: source <(sluice completion bash)
zsh:  source <(sluice completion zsh)
fish: sluice completion fish | source`)
    .action((shell: string) => void process.stdout.write(completionScript(shell, program)))
}
