import { randomUUID } from 'node:crypto'
import { isIP } from 'node:net'
import { connect as startTls } from 'node:tls'
import { printable, tcp, type Connection, type Context, type OutboundHandler } from '@sluice/core'

const MAX_ANSWER_BYTES = 16_384
const STATUS_LINE = /^HTTP\/1\.[01] (\d{3})(?: .*)?\r?$/

/** What is asked for through an outbound. */
export interface ProbeRequest {
  readonly url: URL
  readonly method: 'HEAD' | 'GET'
  /** Trusted for https in place of Node's authorities, as PEM. */
  readonly ca?: string
}

/**
 * Opens a tunnel through an outbound, asks for a page, and waits for the first line of the answer. The tunnel is closed however it
 * ends.
 *
 * @throws {Error} where there is no tunnel, no HTTP answer, or a status of 500 and above.
 * @throws `signal.reason` as it is, when aborted.
 */
export async function probe(handler: OutboundHandler, { url, method, ca }: ProbeRequest, signal: AbortSignal): Promise<void> {
  if (handler.connect === undefined) throw new Error(`Outbound "${handler.tag}" cannot be probed: it opens no tunnels`)
  const isSecure = url.protocol === 'https:'
  const host = url.hostname.replace(/^\[|\]$/g, '')
  const port = url.port === '' ? (isSecure ? 443 : 80) : Number(url.port)
  const tunnel = await handler.connect(sessionTo(host, port, signal))
  tunnel.on('error', () => {})
  const secure = !isSecure ? undefined : startTls({
    socket: tunnel, ALPNProtocols: ['http/1.1'], ...(isIP(host) === 0 ? { servername: host } : {}), ...(ca === undefined ? {} : { ca }),
  })
  secure?.on('error', () => {})
  try {
    const connection: Connection = secure ?? tunnel
    connection.write(`${method} ${url.pathname}${url.search} HTTP/1.1\r\nHost: ${url.host}\r\nAccept: */*\r\nConnection: close\r\n\r\n`)
    const line = await firstLine(connection, signal)
    const status = Number(STATUS_LINE.exec(line)?.[1])
    if (!(status < 500)) throw new Error(`"${printable(line)}" is not the answer of a healthy server`)
  } finally {
    secure?.destroy()
    tunnel.destroy()
  }
}

function sessionTo(host: string, port: number, signal: AbortSignal): Context {
  const record = { startedAt: Date.now(), uplinkBytes: 0, downlinkBytes: 0, attempts: 0 }
  return { id: randomUUID(), target: tcp(host, port), inboundTag: '', signal, record }
}

function firstLine(connection: Connection, signal: AbortSignal): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = ''
    const settle = (error: unknown): void => {
      connection.off('data', onData).off('close', onClose).off('end', onClose).off('error', settle)
      signal.removeEventListener('abort', onAbort)
      if (error === undefined) resolve(text.slice(0, text.indexOf('\n')))
      else reject(error)
    }
    const onData = (chunk: Buffer): void => {
      text += chunk.toString('latin1')
      if (text.includes('\n')) settle(undefined)
      else if (text.length > MAX_ANSWER_BYTES) settle(new Error('The answer has no end of its first line'))
    }
    const onClose = (): void => settle(new Error('The tunnel was closed without an answer'))
    const onAbort = (): void => settle(signal.reason)
    connection.on('data', onData).on('close', onClose).on('end', onClose).on('error', settle)
    signal.addEventListener('abort', onAbort)
    if (signal.aborted) onAbort()
  })
}
