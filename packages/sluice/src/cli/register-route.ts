import { Option, type Command } from 'commander'
import { withFileOptions, withSource } from './file-options.js'
import { testRoute, type RouteTestOptions } from './route-test.js'

/** `sluice route test`. */
export function registerRoute(program: Command): void {
  const route = program.command('route').description('about the rules of a config')
  withFileOptions(route.command('test'))
    .description('say which rule of a config takes a session and why the others do not, and dial nothing')
    .argument('<host:port>', 'where the client wants to go, as example.com:443 or [2001:db8::1]:443')
    .option('--from <ip[:port]>', 'where the client comes from')
    .option('--inbound <tag>', 'the inbound that it comes through')
    .option('--user <user>', 'as the inbound authenticated it')
    .addOption(new Option('--network <network>', 'of the target').choices(['tcp', 'udp']).default('tcp'))
    .addOption(new Option('--protocol <protocol>', 'what its first bytes tell').choices(['http', 'tls']))
    .option('--json', 'write it as JSON')
    .action((target: string, _own: unknown, test: Command) => testRoute(target, withSource(test.optsWithGlobals<RouteTestOptions>())))
}
