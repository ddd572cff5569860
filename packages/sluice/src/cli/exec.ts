import { spawn, type ChildProcess } from 'node:child_process'
import { constants } from 'node:os'
import { createInstance, type Config } from '@sluice/core'
import { Proxy } from '../library/proxy.js'
import type { RequestHook } from '../library/hook-router.js'
import { openAuditLog } from './audit-log.js'
import { withDefaults, type CommonOptions } from './common-options.js'
import type { Environment } from './env-proxies.js'
import { ExecSummary } from './exec-summary.js'
import { ExitWith } from './exit-with.js'
import { hostPatterns } from './host-patterns.js'
import { upstreamConfig, type UpstreamOptions } from './upstream-options.js'

export interface ExecOptions extends CommonOptions, UpstreamOptions {
  /** Reach these only. @default everything */
  readonly allow?: readonly string[]
  /** Refuse these. @default nothing */
  readonly deny?: readonly string[]
  /** A file for a JSON line for each session. @default none */
  readonly audit?: string
  /** No summary. @default false */
  readonly quiet?: boolean
}

/** As shells have them. */
const NOT_FOUND = 127
const NOT_EXECUTABLE = 126
const SIGNAL_BASE = 128
const FORWARDED = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGUSR1', 'SIGUSR2'] as const
/** Sessions that outlive the command are of nobody. */
const DRAIN_MS = 500
const LOCAL = 'localhost,127.0.0.1,::1'

/**
 * Runs a command with a proxy on a free port of 127.0.0.1 in its environment, passes signals on to it, and sums up what it did.
 *
 * What it does past the proxy is not seen and not kept from it.
 *
 * @throws {ExitWith} the command's exit code if it is not 0, 128 + n for signal n. @throws {UsageError}
 */
export async function runExec([file = '', ...args]: readonly string[], options: ExecOptions): Promise<void> {
  const { audit, quiet = false } = options
  const summary = new ExecSummary()
  const onRequest = egressHook(options)
  const config = withDefaults({ inbounds: [{ protocol: 'mixed', port: 0, tag: 'exec' }], ...upstreamConfig(options) }, options) as Config
  await using log = audit === undefined ? undefined : await openAuditLog(audit)
  const proxy = new Proxy((modules, more) => {
    const instance = createInstance({ ...config, outbounds: [...config.outbounds ?? [], ...more] }, { modules })
    return Promise.resolve({ instance, remarks: [] })
  }, onRequest === undefined ? {} : { onRequest })
  proxy.on('session:close', (session) => {
    summary.add(session)
    log?.write(session)
  })
  await proxy.start()
  const url = `http://127.0.0.1:${proxy.listening[0]?.address.port ?? 0}`
  let code: number
  try {
    code = await exitOf(spawn(file, args, { stdio: 'inherit', env: proxiedEnvironment(url, process.env) }), file)
  } finally {
    await proxy.stop({ drainMs: DRAIN_MS })
    if (!quiet) process.stderr.write(`${summary.lines().join('\n')}\n`)
  }
  if (code !== 0) throw new ExitWith(code)
}

/** The environment with that proxy in every variable that programs look at, and none of those that were there. */
export function proxiedEnvironment(url: string, env: Environment): Record<string, string> {
  const names = ['http_proxy', 'https_proxy', 'all_proxy']
  const proxies = [...names, ...names.map((name) => name.toUpperCase()), 'npm_config_proxy', 'npm_config_https_proxy']
  const local = ['no_proxy', 'NO_PROXY', 'npm_config_noproxy']
  const kept = Object.entries(env).filter(([name, value]) => value !== undefined && name !== 'SLUICE_AUTH')
  return {
    ...Object.fromEntries(kept) as Record<string, string>,
    ...Object.fromEntries(proxies.map((name) => [name, url])),
    ...Object.fromEntries(local.map((name) => [name, LOCAL])),
    // Node heeds the others only if told so.
    NODE_USE_ENV_PROXY: '1',
  }
}

function egressHook({ allow, deny = [] }: ExecOptions): RequestHook | undefined {
  if (allow === undefined && deny.length === 0) return undefined
  const [isAllowed, isDenied] = [hostPatterns(allow ?? ['*'], '--allow'), hostPatterns(deny, '--deny')]
  return ({ host, port }) => {
    if (isDenied(host, port)) return { refuse: 'it is named by --deny' }
    return isAllowed(host, port) ? 'allow' : { refuse: 'it is not named by --allow' }
  }
}

/** Waits for a child and passes signals on to it meanwhile. */
async function exitOf(child: ChildProcess, file: string): Promise<number> {
  const pass = (signal: NodeJS.Signals): void => {
    // A terminal sends it to both.
    if (!(signal === 'SIGINT' && process.stdin.isTTY)) child.kill(signal)
  }
  for (const signal of FORWARDED) process.on(signal, pass)
  try {
    return await new Promise<number>((resolve) => {
      child.once('error', (error: NodeJS.ErrnoException) => {
        process.stderr.write(`sluice: Cannot run "${file}": ${error.code === 'ENOENT' ? 'there is no such command' : error.message}\n`)
        resolve(error.code === 'ENOENT' ? NOT_FOUND : NOT_EXECUTABLE)
      })
      child.once('exit', (code, signal) => resolve(code ?? SIGNAL_BASE + (signal === null ? 0 : constants.signals[signal])))
    })
  } finally {
    for (const signal of FORWARDED) process.off(signal, pass)
  }
}
