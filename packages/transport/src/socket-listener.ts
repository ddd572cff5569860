import { once } from 'node:events'
import { createServer, type AddressInfo, type Server, type ServerOpts, type Socket } from 'node:net'
import { createServer as createTlsServer, type TLSSocket, type TlsOptions } from 'node:tls'
import { formatEndpoint, ProxyError, type Connection, type Endpoint, type InstanceEvents, type Listener } from '@sluice/core'
import { abort } from './abort.js'
import { ignoreErrors } from './ignore-errors.js'
import { linkRawSocket } from './raw-socket.js'
import { systemErrorText } from './system-error-text.js'

// The longest that a timer of Node can run; its TLS server knows no "never".
const NEVER_MS = 2 ** 31 - 1
// A machine that is out of descriptors fails to accept many times a second, and is told of it at this pace.
const WARNING_PAUSE_MS = 10_000

export interface SocketListenerOptions extends Endpoint {
  /** Silence after which the kernel probes a client; 0 = never. */
  readonly keepAliveIdleMs: number
  /** How long a TLS handshake may take; 0 = no limit. */
  readonly handshakeMs: number
  /** Connections at once, those in their TLS handshake among them. */
  readonly maxConnections: number
  readonly tls?: TlsOptions
}

/** Listens on one TCP address, with TLS if it is given options for it. */
export class SocketListener implements Listener {
  readonly #options: SocketListenerOptions
  readonly #events: InstanceEvents
  readonly #server: Server
  readonly #open = new Set<Connection>()
  /** Sockets in their TLS handshake, by both ends' addresses: Node does not tell which socket is under a TLS socket. */
  readonly #handshakes = new Map<string, Socket>()
  #onConnection: (connection: Connection) => void = () => {}
  #closed: Promise<void> | undefined
  #warnAgainAt = 0

  constructor(options: SocketListenerOptions, events: InstanceEvents) {
    this.#options = options
    this.#events = events
    const { keepAliveIdleMs, handshakeMs, tls } = options
    const keepAlive = { keepAlive: keepAliveIdleMs > 0, keepAliveInitialDelay: keepAliveIdleMs }
    const socketOptions: ServerOpts = { allowHalfOpen: true, noDelay: true, ...keepAlive }
    if (tls === undefined) {
      this.#server = createServer(socketOptions, this.#accepted)
    } else {
      const handshakeTimeout = handshakeMs === 0 ? NEVER_MS : handshakeMs
      // Within its handshake, a client that sends its FIN is gone; half-open it would stay until the limit.
      this.#server = createTlsServer({ ...tls, ...socketOptions, allowHalfOpen: false, handshakeTimeout })
        .on('connection', this.#handshakeBegun)
        .on('secureConnection', this.#handshakeDone)
        .on('tlsClientError', this.#handshakeFailed)
    }
    this.#server.maxConnections = options.maxConnections
    this.#server.on('drop', this.#dropped)
  }

  async start(onConnection: (connection: Connection) => void): Promise<Endpoint> {
    const { host, port } = this.#options
    this.#onConnection = onConnection
    this.#server.listen({ host, port })
    try {
      await once(this.#server, 'listening')
    } catch (error) {
      throw new Error(`Cannot listen on ${formatEndpoint({ host, port })}: ${systemErrorText(error as Error)}`, { cause: error })
    }
    this.#closed = new Promise((resolve) => this.#server.once('close', resolve))
    this.#server.on('error', this.#acceptFailed)
    const bound = this.#server.address() as AddressInfo
    return { host: bound.address, port: bound.port }
  }

  stop(): void {
    this.#server.close()
    for (const raw of this.#handshakes.values()) raw.destroy()
  }

  async close(): Promise<void> {
    this.stop()
    const reason = new ProxyError('ABORT', 'The listener closes', { side: 'internal', phase: 'relay' })
    for (const connection of this.#open) abort(connection, reason)
    await this.#closed
  }

  readonly #accepted = (connection: Connection): void => {
    ignoreErrors(connection)
    this.#open.add(connection)
    connection.once('close', () => this.#open.delete(connection))
    this.#onConnection(connection)
  }

  readonly #handshakeBegun = (raw: Socket): void => {
    ignoreErrors(raw)
    const id = addressesOf(raw)
    this.#handshakes.set(id, raw)
    raw.once('close', () => {
      // Another socket may have the same addresses by now.
      if (this.#handshakes.get(id) === raw) this.#handshakes.delete(id)
    })
  }

  readonly #handshakeDone = (socket: TLSSocket): void => {
    const id = addressesOf(socket)
    const raw = this.#handshakes.get(id)
    if (raw !== undefined) linkRawSocket(socket, raw)
    this.#handshakes.delete(id)
    socket.allowHalfOpen = true
    this.#accepted(socket)
  }

  /** Node leaves a socket open whose handshake took too long. */
  readonly #handshakeFailed = (_error: Error, socket: TLSSocket): void => {
    socket.destroy()
  }

  /** The server goes on: what could not be accepted now may be later. */
  readonly #acceptFailed = (error: Error): void => {
    this.#warn(systemErrorText(error), { error })
  }

  /** Node has closed it. */
  readonly #dropped = (): void => {
    this.#warn(`${this.#options.maxConnections} clients are connected, which is the limit (maxConnections)`)
  }

  #warn(why: string, details?: { readonly error: Error }): void {
    const now = Date.now()
    if (now < this.#warnAgainAt) return
    this.#warnAgainAt = now + WARNING_PAUSE_MS
    this.#events.log('warning', `Cannot accept on ${formatEndpoint(this.#options)}: ${why}`, details)
  }
}

function addressesOf({ remoteAddress, remotePort, localAddress }: Socket): string {
  return `${remoteAddress} ${remotePort} ${localAddress}`
}
