import type { Command } from 'commander'
import type { ClientOptions } from './client-config.js'
import { withCommonOptions } from './common-options.js'
import { connectStdio } from './connect-stdio.js'
import { UsageError } from './proxy-url.js'
import { withUpstreamOptions } from './upstream-options.js'

/** `sluice connect`. */
export function registerConnect(program: Command): void {
  withCommonOptions(withUpstreamOptions(program.command('connect')))
    .description('join standard input and output to a target, as an ssh ProxyCommand: sluice connect -F http://proxy:3128 %h %p')
    .argument('<host>', 'name or address of the target')
    .argument('<port>', 'its port')
    .option('-c, --config <file>', 'take outbounds and rules from a config, where there is neither -F nor --env',
      (file: string, before: readonly string[] = []) => [...before, file])
    .action((host: string, port: string, _own: unknown, command: Command) =>
      connectStdio({ host: host.replace(/^\[(.*)\]$/, '$1'), port: portOf(port) }, command.optsWithGlobals<ClientOptions>()))
}

function portOf(text: string): number {
  const port = Number(text)
  if (!/^\d+$/.test(text) || port < 1 || port > 65_535) throw new UsageError(`Cannot connect to port "${text}": it must be 1 to 65535`)
  return port
}
