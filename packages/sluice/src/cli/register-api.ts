import type { Command } from 'commander'
import { apiClose, apiConnections, apiHealth, apiReload, apiStats, type ApiCloseOptions, type ApiOptions } from './api.js'

/** `sluice api`. */
export function registerApi(program: Command): void {
  const api = program.command('api').description('ask a running program whose config has the section "control"')
  withAccess(api.command('stats')).description('its counters').action((options: ApiOptions) => apiStats(options))
  withAccess(api.command('conns')).description('its live sessions').action((options: ApiOptions) => apiConnections(options))
  withAccess(api.command('close'))
    .description('end a session as an error')
    .argument('[id]', 'as conns tells it')
    .option('--all', 'all of them')
    .action((id: string | undefined, options: ApiCloseOptions) => apiClose(id, options))
  withAccess(api.command('reload')).description('read its config again').action((options: ApiOptions) => apiReload(options))
  withAccess(api.command('health'))
    .description('the state of its upstream proxies; exits with 1 while all of an outbound rest')
    .action((options: ApiOptions) => apiHealth(options))
}

function withAccess(command: Command): Command {
  return command
    .option('--address <host:port>', 'where it answers', '127.0.0.1:9090')
    .option('--secret-file <file>', 'its secret is the first line; without it $SLUICE_CONTROL_SECRET')
    .option('--json', 'write the answer as it is')
}
