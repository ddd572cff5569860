import { once } from 'node:events'
import type { Readable, Writable } from 'node:stream'
import type { Config, Connection, Endpoint } from '@sluice/core'
import { dial } from '../dial.js'
import { clientConfig, startClient, type ClientOptions } from './client-config.js'

export interface Stdio {
  readonly input: Readable
  readonly output: Writable
}

/** Whoever started the command ends it: no idle session is cut, and an answer may take its time after the end of the question. */
const PATIENT = { levels: { 0: { connIdle: 0, uplinkOnly: 86_400, downlinkOnly: 86_400 } } }

/** For the target to learn that we end as well. */
const DRAIN_MS = 500

/**
 * Joins standard input and output to a target: the end of the input is passed on, and the target's end ends the command.
 *
 * @throws {ProxyError} if the target cannot be reached, or the tunnel is cut.
 */
export async function connectStdio(target: Endpoint, options: ClientOptions, stdio?: Stdio): Promise<void> {
  const { input, output } = stdio ?? { input: process.stdin, output: process.stdout }
  const config: Config = { policy: PATIENT, ...await clientConfig(options) }
  const instance = await startClient(config)
  try {
    const connection = await dial(instance, target)
    await join(connection, input, output)
  } finally {
    // Else it would keep the process alive.
    input.destroy()
    await instance.stop({ drainMs: DRAIN_MS })
  }
}

async function join(connection: Connection, input: Readable, output: Writable): Promise<void> {
  const cut = (error: Error): void => void connection.destroy(error)
  input.on('error', cut)
  output.on('error', cut)
  try {
    input.pipe(connection)
    connection.pipe(output, { end: false })
    await once(connection, 'end')
    connection.end()
    await new Promise<void>((resolve) => output.write('', () => resolve()))
  } finally {
    input.unpipe(connection)
    input.off('error', cut)
    output.off('error', cut)
  }
}
