import { once } from 'node:events'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import { createSecureContext, TLSSocket } from 'node:tls'
import { tcp, type Destination } from '@sluice/core'
import { rememberRaw } from './reset.js'

/** How a server of this package speaks TLS. */
export interface ServerTls {
  readonly certPem: string
  readonly keyPem: string
  /** Protocols to agree on, most wanted first; without it the server knows no ALPN. */
  readonly alpn?: readonly string[]
  /** Client certificates are asked for, and must be signed by this CA. */
  readonly clientCaPem?: string
}

/** A server on a port of 127.0.0.1 that the kernel picked. */
export interface Listening {
  readonly host: string
  readonly port: number
  readonly destination: Destination
  /** How many TCP connections were accepted so far. */
  readonly connections: number
  /** Accepts no more; what is open lives on. Idempotent. */
  stop(): void
  /** Accepts no more, destroys all that is open, and resolves when all is closed. Idempotent. */
  close(): Promise<void>
}

/**
 * Listens, and hands over sockets with half-open use allowed, no delay, and an `error` listener: with TLS after the handshake.
 * A connection whose handshake fails is closed and never handed over.
 */
export async function listen(onSocket: (socket: Socket) => void, tls?: ServerTls): Promise<Listening> {
  const open = new Set<Socket>()
  const secureContext = tls && createSecureContext({
    cert: tls.certPem, key: tls.keyPem, ...(tls.clientCaPem === undefined ? {} : { ca: tls.clientCaPem }),
  })
  let connections = 0
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (raw) => {
    connections += 1
    open.add(raw)
    raw.on('error', ignore).once('close', () => { open.delete(raw) })
    if (tls === undefined || secureContext === undefined) return onSocket(raw)
    const socket = new TLSSocket(raw, {
      isServer: true,
      secureContext,
      ...(tls.alpn === undefined ? {} : { ALPNProtocols: [...tls.alpn] }),
      requestCert: tls.clientCaPem !== undefined,
      rejectUnauthorized: tls.clientCaPem !== undefined,
    })
    rememberRaw(socket, raw)
    socket.on('error', ignore).once('secure', () => { onSocket(socket) })
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const { port } = server.address() as AddressInfo
  let closed: Promise<void> | undefined
  const stop = (): void => {
    closed ??= new Promise((resolve) => { server.close(() => { resolve() }) })
  }
  return {
    host: '127.0.0.1',
    port,
    destination: tcp('127.0.0.1', port),
    get connections() { return connections },
    stop,
    async close() {
      stop()
      for (const raw of open) raw.destroy()
      await closed
    },
  }
}

/** A port of 127.0.0.1 on which nobody listens: dialling it is refused. */
export async function closedPort(): Promise<number> {
  const listening = await listen(() => {})
  await listening.close()
  return listening.port
}

// A peer's reset is an event of the test, seen through 'close', and no reason for the process to end.
function ignore(): void {}
