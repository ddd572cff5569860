import { Command, CommanderError } from 'commander'
import { isConfigError } from '@sluice/core'
import { withCommonOptions } from './common-options.js'
import { runDemo } from './demo.js'
import { ExitCode } from './exit-code.js'
import { ExitWith } from './exit-with.js'
import { FileConfigError, printFaults } from './faults.js'
import { runOneLine, type OneLineOptions } from './one-line.js'
import { UsageError } from './proxy-url.js'
import { registerAdapt } from './register-adapt.js'
import { registerApi } from './register-api.js'
import { registerCheck } from './register-check.js'
import { registerCompletion } from './register-completion.js'
import { registerConnect } from './register-connect.js'
import { registerDoctor } from './register-doctor.js'
import { registerDump } from './register-dump.js'
import { registerExec } from './register-exec.js'
import { registerFmt } from './register-fmt.js'
import { registerRoute } from './register-route.js'
import { registerRun } from './register-run.js'
import { registerSchema } from './register-schema.js'
import { withUpstreamOptions } from './upstream-options.js'
import { version } from './version.js'

/** One file each; their order is that of the help. */
const COMMANDS: readonly ((program: Command) => void)[] = [
  registerRun,
  registerCheck,
  registerRoute,
  registerDump,
  registerAdapt,
  registerFmt,
  registerConnect,
  registerExec,
  registerDoctor,
  registerApi,
  registerCompletion,
  registerSchema,
]

/** Long options that v2ray has with one dash. */
const V2RAY_SPELLINGS: readonly string[] = ['-config', '-confdir', '-format', '-test', '-version']

/**
 * The `sluice` command.
 *
 * @param args What follows the name of the program.
 * @returns The exit code, once the program has stopped: 0 in order, 1 a failure while running, 2 usage, 23 config.
 */
export async function main(args: readonly string[]): Promise<number> {
  try {
    await program().parseAsync(ownWords(args), { from: 'user' })
    return ExitCode.ok
  } catch (error) {
    return explain(error)
  }
}

/** The same in our words: v2ray 4 has options in place of commands, `-test -config FILE`. */
function ownWords(args: readonly string[]): string[] {
  // `pnpm start -- run …` hands the dashes on.
  const words = (args[0] === '--' ? args.slice(1) : args).map((arg) => (V2RAY_SPELLINGS.includes(arg) ? `-${arg}` : arg))
  if (words[0]?.startsWith('-') !== true) return words
  if (words.includes('--test')) return ['check', ...words.filter((word) => word !== '--test')]
  return ['-c', '--config', '--confdir'].includes(words[0]) ? ['run', ...words] : words
}

function program(): Command {
  const command = withCommonOptions(withUpstreamOptions(new Command('sluice')))
    .description('A local SOCKS and HTTP proxy that goes through upstream HTTP proxies by CONNECT')
    .version(version)
    .enablePositionalOptions()
    .exitOverride()
    .showHelpAfterError('(sluice --help shows what can be said)')
    .option('-L, --listen <url...>', 'listen on, as socks://127.0.0.1:1080 or http://user:pass@127.0.0.1:8080')
    .option('-q, --quiet', 'do not tell what runs once it has started')
    .addHelpText('after', `
Without options it runs a demonstration: SOCKS5 and HTTP on 127.0.0.1:1080, through an upstream of its own over TLS and HTTP/2.

Signals: SIGINT or SIGTERM stops listening and lets sessions end; a second one cuts them; SIGHUP reloads (run).
Exit codes: 0 stopped in order, 1 failed while running, 2 usage, 23 config.`)
    .action(async (options: OneLineOptions) => {
      if (options.listen === undefined && options.forward === undefined && options.env !== true) await runDemo()
      else await runOneLine(options)
    })
  for (const register of COMMANDS) register(command)
  return command
}

function explain(error: unknown): number {
  if (error instanceof ExitWith) return error.code
  if (error instanceof CommanderError) return error.exitCode === 0 ? ExitCode.ok : ExitCode.usage
  if (error instanceof UsageError) {
    process.stderr.write(`sluice: ${error.message}\n`)
    return ExitCode.usage
  }
  if (isConfigError(error)) {
    printFaults(error.faults, error instanceof FileConfigError ? error.texts : undefined)
    return ExitCode.config
  }
  process.stderr.write(`sluice: ${error instanceof Error ? error.message : String(error)}\n`)
  return ExitCode.failure
}
