import type { SessionDescription } from '@sluice/control'
import { printable, type Fault } from '@sluice/core'
import { askControl, type ApiAccess, type ApiReply } from './api-client.js'
import { countOf, formatConnections, formatHealth, formatStats, type ToldServer } from './api-tables.js'
import { ExitWith } from './exit-with.js'
import { ExitCode } from './exit-code.js'
import { printFaults } from './faults.js'
import { UsageError } from './proxy-url.js'

export interface ApiOptions extends ApiAccess {
  /** Write what was answered, as it is. @default false */
  readonly json?: boolean
}

export interface ApiCloseOptions extends ApiOptions {
  /** Every session. @default false */
  readonly all?: boolean
}

/** `sluice api stats` */
export async function apiStats(options: ApiOptions): Promise<void> {
  const reply = await ask('GET', '/stats', options)
  tell(options, reply, (counters: Record<string, number>) => formatStats(counters))
}

/** `sluice api conns` */
export async function apiConnections(options: ApiOptions): Promise<void> {
  const reply = await ask('GET', '/connections', options)
  tell(options, reply, ({ connections }: { connections: SessionDescription[] }) => formatConnections(connections, Date.now()))
}

/** `sluice api close` @throws {UsageError} unless it is told one session, or all. */
export async function apiClose(id: string | undefined, options: ApiCloseOptions): Promise<void> {
  if ((id === undefined) !== (options.all === true)) throw new UsageError('Cannot tell what to close: give the id of a session, or --all')
  const reply = await ask('DELETE', id === undefined ? '/connections' : `/connections/${encodeURIComponent(id)}`, options)
  tell(options, reply, ({ closed }: { closed: number }) => [`closed ${countOf(closed, 'session')}`])
}

/** `sluice api health` */
export async function apiHealth(options: ApiOptions): Promise<void> {
  const reply = await ask('GET', '/health', options, [503])
  tell(options, reply, ({ ok, servers }: { ok: boolean, servers: ToldServer[] }) => formatHealth(ok, servers))
  if (reply.status !== 200) throw new ExitWith(ExitCode.failure)
}

/** `sluice api reload` */
export async function apiReload(options: ApiOptions): Promise<void> {
  const reply = await ask('POST', '/reload', options, [422])
  const done = reply.status === 200
  tell(options, reply, ({ faults = [], remarks = [] }: { faults?: Fault[], remarks?: Fault[] }) => {
    printFaults([...faults, ...remarks])
    return [done ? 'reloaded; open sessions go on' : 'nothing was changed']
  })
  if (!done) throw new ExitWith(ExitCode.failure)
}

/** @param also Statuses beside 200 whose answer has the form of a command's own. @throws {Error} for any other, with what it says. */
async function ask(method: string, path: string, options: ApiOptions, also: readonly number[] = []): Promise<ApiReply> {
  const reply = await askControl(method, path, options)
  if (reply.status === 200 || also.includes(reply.status)) return reply
  if (options.json === true) process.stdout.write(reply.text)
  const { error } = parse(reply.text) as { error?: unknown }
  const hint = reply.status === 401 ? ': use --secret-file or SLUICE_CONTROL_SECRET' : ''
  throw new Error(`The program answers ${reply.status}: ${typeof error === 'string' ? error : 'no reason'}${hint}`)
}

function tell<T>({ json = false }: ApiOptions, { text }: ApiReply, format: (answer: T) => string[]): void {
  process.stdout.write(json ? text : `${format(parse(text) as T).join('\n')}\n`)
}

/** What clients and targets are called is made fit for a terminal. @throws {Error} where another program than ours answers. */
function parse(text: string): unknown {
  try {
    return JSON.parse(text, (_key, value: unknown) => (typeof value === 'string' ? printable(value) : value))
  } catch (cause) {
    throw new Error('This is no control interface: its answer is not JSON', { cause })
  }
}
