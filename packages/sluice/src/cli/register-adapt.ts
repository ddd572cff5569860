import { Option, type Command } from 'commander'
import { canonicalConfig } from './canonical-config.js'
import { printFaults } from './faults.js'
import { loadConfig, type LoadConfigOptions } from './load-config.js'
import { oneLineConfig } from './one-line.js'

const SOURCES = ['v2ray', 'xray', 'url'] as const
const LISTEN = ['socks://127.0.0.1:1080', 'http://127.0.0.1:8080']

interface AdaptOptions extends LoadConfigOptions {
  readonly from: (typeof SOURCES)[number]
}

/** `sluice adapt`. */
export function registerAdapt(program: Command): void {
  program.command('adapt')
    .description('write a config of another program, or for a proxy\'s URL, in the present words to standard output; secrets included')
    .argument('<file or url...>', 'files are merged; a URL is as http://user:pass@host:3128, several are a chain, nearest first')
    .addOption(new Option('--from <source>', 'what is given').choices(SOURCES).makeOptionMandatory())
    .option('--pretty', 'over many lines, which is the only form')
    .option('--skip-unknown', 'leave out handlers of unknown protocols with a warning')
    .option('--lenient', 'leave out unknown keys with a warning, except in rules')
    .action((given: readonly string[], _own: unknown, adapt: Command) => adaptConfig(given, adapt.optsWithGlobals<AdaptOptions>()))
}

/**
 * Writes a config in the one form that the schema describes, and to standard error what was read differently or left out.
 * @throws {ConfigError} if it cannot be used. @throws {UsageError} for a URL that cannot be read.
 */
async function adaptConfig(given: readonly string[], { from, ...options }: AdaptOptions): Promise<void> {
  const config = from === 'url' ? oneLineConfig(LISTEN, given) : await adapted({ ...options, config: given })
  process.stdout.write(`${JSON.stringify(canonicalConfig(config), null, 2)}\n`)
}

async function adapted(options: LoadConfigOptions): Promise<unknown> {
  const { document, instance, remarks, texts } = await loadConfig({ allowOpen: true, ...options })
  await instance.stop()
  printFaults(remarks, texts)
  return withAddresses(document.config)
}

/** What an inbound without an address listens on is said, for other programs take another one. */
function withAddresses(config: unknown): unknown {
  const { inbounds = [] } = config as { readonly inbounds?: readonly object[] }
  return { ...config as object, inbounds: inbounds.map((inbound) => ({ listen: '127.0.0.1', ...inbound })) }
}
