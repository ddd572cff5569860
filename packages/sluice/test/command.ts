import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { until } from '@sluice/testkit'

/** The command itself. */
export const BIN = fileURLToPath(new URL('../bin/sluice.js', import.meta.url))

/** A run of the real command. */
export interface Command extends AsyncDisposable {
  readonly child: ChildProcess
  readonly out: () => string
  readonly err: () => string
  /** Resolves with the exit code, or the signal that ended it. */
  readonly exit: Promise<number | string>
  /** The port on which the n-th inbound listens, once all do. */
  port(index?: number): Promise<number>
}

/** Starts the command; it is killed when disposed. */
export function startCommand(...args: string[]): Command {
  return startNode(BIN, ...args)
}

/** Starts Node with something else that says what it listens on, as the command does. */
export function startNode(...args: string[]): Command {
  return startNodeIn(process.cwd(), ...args)
}

/** The same in another folder. */
export function startNodeIn(cwd: string, ...args: string[]): Command {
  const child = spawn(process.execPath, args, { cwd, stdio: ['ignore', 'pipe', 'pipe'] })
  let out = ''
  let err = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => { out += text })
  child.stderr.setEncoding('utf8').on('data', (text: string) => { err += text })
  const exit = once(child, 'close').then(([code, signal]) => (code ?? signal) as number | string)
  const ports = (): number[] => [...`${out}${err}`.matchAll(/listening on \S+:(\d+)/g)].map(([, port]) => Number(port))
  return {
    child,
    out: () => out,
    err: () => err,
    exit,
    async port(index = 0) {
      await until(() => ports().length > index || child.exitCode !== null, () => `the command to listen: ${out}${err}`, 10_000)
      return ports()[index] ?? 0
    },
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL')
      await exit
    },
  }
}

/** A config in a file of its own, removed when disposed. */
export async function configFile(config: unknown): Promise<AsyncDisposable & { readonly path: string }> {
  const { path, [Symbol.asyncDispose]: dispose } = await configFolder({ 'config.json': config })
  return { path: join(path, 'config.json'), [Symbol.asyncDispose]: dispose }
}

/** Files in a folder of their own, removed when disposed; what is no text is written as JSON. */
export async function configFolder(files: Readonly<Record<string, unknown>>): Promise<AsyncDisposable & { readonly path: string }> {
  const path = await mkdtemp(join(tmpdir(), 'sluice-test-'))
  for (const [name, config] of Object.entries(files)) {
    await writeFile(join(path, name), typeof config === 'string' ? config : JSON.stringify(config))
  }
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true }) }
}
