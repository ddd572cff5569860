import { ProxyError, type Connection, type Endpoint, type Listener } from '@sluice/core'
import { abort } from '@sluice/transport'

/** A socket that listens, and who gets its connections. */
export interface BoundListener {
  readonly listener: Listener
  address: Endpoint
  owner: HandoverListener
}

/** One instance's share in a listening socket, which another may have had before and another may take over. */
export class HandoverListener implements Listener {
  readonly #key: string
  readonly #inner: Listener
  readonly #table: Map<string, BoundListener>
  readonly #open = new Set<Connection>()
  #onConnection: (connection: Connection) => void = () => {}
  /** Who gets the socket back if the instance does not start. */
  #previous: HandoverListener | undefined
  #onClosed: (() => void)[] = []

  /** @param table What listens, by key. */
  constructor(key: string, inner: Listener, table: Map<string, BoundListener>) {
    this.#key = key
    this.#inner = inner
    this.#table = table
  }

  async start(onConnection: (connection: Connection) => void): Promise<Endpoint> {
    this.#onConnection = onConnection
    const bound = this.#table.get(this.#key)
    if (bound !== undefined) {
      this.#previous = bound.owner
      bound.owner = this
      return bound.address
    }
    const owned: BoundListener = { listener: this.#inner, address: { host: '', port: 0 }, owner: this }
    owned.address = await this.#inner.start((connection) => owned.owner.accept(connection))
    this.#table.set(this.#key, owned)
    return owned.address
  }

  commit(): void {
    this.#previous = undefined
  }

  accept(connection: Connection): void {
    this.#open.add(connection)
    connection.once('close', () => {
      this.#open.delete(connection)
      if (this.#open.size === 0) for (const resolve of this.#onClosed.splice(0)) resolve()
    })
    this.#onConnection(connection)
  }

  /** The socket goes on listening where somebody else has it by now, or had it before. */
  stop(): void {
    const bound = this.#table.get(this.#key)
    if (bound?.owner !== this) return
    if (this.#previous !== undefined) {
      bound.owner = this.#previous
      this.#previous = undefined
      return
    }
    this.#table.delete(this.#key)
    bound.listener.stop()
  }

  async close(): Promise<void> {
    this.stop()
    const reason = new ProxyError('ABORT', 'The listener closes', { side: 'internal', phase: 'relay' })
    for (const connection of this.#open) abort(connection, reason)
    if (this.#open.size > 0) await new Promise<void>((resolve) => this.#onClosed.push(resolve))
  }
}
