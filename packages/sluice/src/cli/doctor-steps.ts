import { lookup } from 'node:dns/promises'
import { once } from 'node:events'
import { connect as connectTcp, isIP, type Socket } from 'node:net'
import { connect as connectTls, type TLSSocket } from 'node:tls'
import { formatEndpoint, printable, type Connection, type Endpoint } from '@sluice/core'

/** The longest that one step may take. */
export const STEP_MS = 10_000
const MAX_HEAD_BYTES = 65_536

/** The addresses of a host, with what to tell of them. */
export async function resolveHost(host: string): Promise<string> {
  if (isIP(host) !== 0) return `${host} is an address`
  const found = await lookup(host, { all: true })
  return `${printable(host)} is ${found.map(({ address }) => address).join(', ')}`
}

export async function openTcp(to: Endpoint, signal: AbortSignal): Promise<Socket> {
  const socket = connectTcp({ host: to.host, port: to.port }).on('error', () => {})
  try {
    await once(socket, 'connect', { signal })
    return socket
  } catch (error) {
    socket.destroy()
    throw reasonOf(error)
  }
}

/** Speaks TLS on a connection, and checks the certificate. */
export async function openTls(under: Connection, host: string, alpn: readonly string[], signal: AbortSignal): Promise<TLSSocket> {
  const socket = connectTls({ socket: under, host, servername: isIP(host) === 0 ? host : '', ALPNProtocols: [...alpn] })
  socket.on('error', () => {})
  try {
    await once(socket, 'secureConnect', { signal })
    return socket
  } catch (error) {
    socket.destroy()
    under.destroy()
    throw reasonOf(error)
  }
}

/** What was agreed on, and with whom. */
export function describeTls(socket: TLSSocket): string {
  const { subject, issuer, valid_to: until } = socket.getPeerCertificate() as Partial<ReturnType<TLSSocket['getPeerCertificate']>>
  const alpn = typeof socket.alpnProtocol === 'string' ? socket.alpnProtocol : 'no ALPN'
  const name = [subject?.CN].flat()[0] ?? ''
  const authority = [issuer?.O ?? issuer?.CN].flat()[0] ?? ''
  return printable(`${socket.getProtocol() ?? 'TLS'}, ${alpn}, certificate "${name}" of "${authority}" until ${until ?? '?'}`)
}

/** Asks for a page in HTTP/1.1 and resolves with the status line of the answer. */
export async function firstLine(connection: Connection, { host, pathname, search }: URL, signal: AbortSignal): Promise<string> {
  connection.write(`HEAD ${pathname}${search} HTTP/1.1\r\nHost: ${host}\r\nUser-Agent: sluice\r\nAccept: */*\r\nConnection: close\r\n\r\n`)
  return lineOf(await headOf(connection, signal))
}

/** The authentication schemes that a proxy names in a 407 to a CONNECT without credentials; none if it cannot be asked. */
export async function challengesOf(connection: Connection, target: Endpoint, signal: AbortSignal): Promise<string[]> {
  const authority = formatEndpoint(target)
  connection.write(`CONNECT ${authority} HTTP/1.1\r\nHost: ${authority}\r\n\r\n`)
  const head = await headOf(connection, signal)
  return [...new Set([...head.matchAll(/^proxy-authenticate: *([A-Za-z0-9-]+)/gim)].map(([, scheme = '']) => scheme))]
}

/** What came up to the end of a head, or of the connection. */
function headOf(connection: Connection, signal: AbortSignal): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = ''
    const done = (): void => {
      connection.off('data', onData).off('end', done).off('error', onError)
      signal.removeEventListener('abort', onAbort)
      resolve(text)
    }
    const onData = (chunk: Buffer): void => {
      text += chunk.toString('latin1')
      if (text.includes('\r\n\r\n') || text.length > MAX_HEAD_BYTES) done()
    }
    const onError = (error: Error): void => {
      done()
      reject(error)
    }
    const onAbort = (): void => onError(signal.reason as Error)
    connection.on('data', onData).on('end', done).on('error', onError)
    signal.addEventListener('abort', onAbort)
    connection.resume()
  })
}

function lineOf(head: string): string {
  const [line = ''] = head.split('\r\n', 1)
  if (line === '') throw new Error('the target ended the connection without an answer')
  return printable(line)
}

/** An aborted wait says why it was aborted. */
function reasonOf(error: unknown): unknown {
  return error instanceof Error && error.name === 'AbortError' && error.cause !== undefined ? error.cause : error
}
