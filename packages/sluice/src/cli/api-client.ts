import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { request, type IncomingMessage } from 'node:http'
import { text } from 'node:stream/consumers'
import { printable } from '@sluice/core'
import { UsageError } from './proxy-url.js'

const ANSWER_MS = 60_000

/** Where a running program answers, and what it must be told. */
export interface ApiAccess {
  /** `host:port` of its section `control`. @default 127.0.0.1:9090 */
  readonly address?: string
  /** Its first line is the secret. @default the environment's SLUICE_CONTROL_SECRET */
  readonly secretFile?: string
}

export interface ApiReply {
  readonly status: number
  readonly text: string
}

/**
 * Asks the control interface of a running program.
 * @throws {UsageError} for an address or a file that cannot be used. @throws {Error} if nobody answers within a minute.
 */
export async function askControl(method: string, path: string, { address = '127.0.0.1:9090', secretFile }: ApiAccess): Promise<ApiReply> {
  const [, ipv6, name, port = ''] = /^(?:\[([^\]]+)\]|([^:[\]/@]+)):(\d{1,5})$/.exec(address) ?? []
  const host = ipv6 ?? name
  if (host === undefined || Number(port) < 1 || Number(port) > 65_535) {
    throw new UsageError(`Cannot use --address "${address}": it must be host:port, as 127.0.0.1:9090`)
  }
  const secret = readSecret(secretFile)
  const headers = secret === undefined ? {} : { authorization: `Bearer ${secret}` }
  const asked = request({ host, port, method, path, headers, agent: false, signal: AbortSignal.timeout(ANSWER_MS) })
  asked.end()
  try {
    const [response] = await once(asked, 'response') as [IncomingMessage]
    return { status: response.statusCode ?? 0, text: await text(response) }
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException
    const hint = code === 'ECONNREFUSED' ? '; does its config have the section "control"?' : ''
    throw new Error(`Cannot ask the program at ${address}: ${printable(message)}${hint}`, { cause })
  }
}

function readSecret(file: string | undefined): string | undefined {
  const secret = file === undefined ? process.env['SLUICE_CONTROL_SECRET'] : firstLine(file)
  if (secret === undefined || secret === '') return undefined
  const name = file === undefined ? 'SLUICE_CONTROL_SECRET' : `--secret-file "${file}"`
  // Anything else could not be sent in a header, and Node would print it in the error.
  if (!/^[!-~]+$/.test(secret)) throw new UsageError(`Cannot use ${name}: a secret is of visible ASCII characters`)
  return secret
}

function firstLine(file: string): string {
  try {
    return readFileSync(file, 'utf8').split(/\r?\n/, 1)[0] ?? ''
  } catch (error) {
    throw new UsageError(`Cannot read --secret-file "${file}": ${(error as Error).message}`)
  }
}
