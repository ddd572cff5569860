import { duplexPair, type Duplex } from 'node:stream'
import { defineTransport, type Connection, type Listener, type ListenerSpec, type TransportDefinition } from '../src/index.js'

/** A listener without a socket: `connect()` is a client that comes. */
export class MemoryListener implements Listener {
  readonly spec: ListenerSpec
  readonly #log: (event: string) => void
  readonly #accepted = new Set<Connection>()
  #onConnection: ((connection: Connection) => void) | undefined

  constructor(spec: ListenerSpec, log: (event: string) => void) {
    this.spec = spec
    this.#log = log
  }

  get accepts(): boolean {
    return this.#onConnection !== undefined
  }

  connect(): Duplex {
    const [client, accepted] = duplexPair()
    accepted.on('error', () => {})
    this.#accepted.add(accepted)
    this.#onConnection?.(Object.assign(accepted, { remoteAddress: '192.0.2.7', remotePort: 4711 }))
    return client
  }

  start(onConnection: (connection: Connection) => void): Promise<{ host: string; port: number }> {
    this.#log(`start ${this.spec.port}`)
    if (this.spec.port === 1) return Promise.reject(new Error('Cannot listen on 127.0.0.1:1: permission denied'))
    this.#onConnection = onConnection
    return Promise.resolve({ host: this.spec.listen, port: this.spec.port })
  }

  stop(): void {
    this.#onConnection = undefined
  }

  close(): Promise<void> {
    this.#log(`close ${this.spec.port}`)
    this.stop()
    for (const connection of this.#accepted) connection.destroy()
    return Promise.resolve()
  }
}

export interface MemoryTransport {
  readonly module: TransportDefinition
  /** In the order of the config. */
  readonly listeners: readonly MemoryListener[]
  /** What the dialers were made for. */
  readonly dialers: readonly unknown[]
}

/** A transport that opens no socket, and what it made. */
export function memoryTransport(log: (event: string) => void = () => {}): MemoryTransport {
  const listeners: MemoryListener[] = []
  const dialers: unknown[] = []
  class Listeners {
    create(spec: ListenerSpec): Listener {
      const listener = new MemoryListener(spec, log)
      listeners.push(listener)
      return listener
    }
  }
  class Dialers {
    create(spec: unknown): { dial(): Promise<Connection> } {
      dialers.push(spec)
      return { dial: () => Promise.resolve(duplexPair()[0]) }
    }
  }
  const schema = { type: 'object', additionalProperties: false, properties: {} } as const
  return { module: defineTransport({ schema, dialers: Dialers, listeners: Listeners }), listeners, dialers }
}
