import type { Connection } from '../contracts/connection.js'
import type { Endpoint } from '../contracts/destination.js'
import type { Listener, ListenerFactory, ListenerSpec } from '../contracts/transport.js'

/** Makes the listeners of one instance as the transport does, and knows where they listen at this moment. */
export class KnownListeners implements ListenerFactory {
  readonly #factory: ListenerFactory
  readonly #addresses: Set<Endpoint>

  /** @param addresses Kept up to date for whoever else has it. */
  constructor(factory: ListenerFactory, addresses: Set<Endpoint>) {
    this.#factory = factory
    this.#addresses = addresses
  }

  create(spec: ListenerSpec): Listener {
    return new KnownListener(this.#factory.create(spec), this.#addresses)
  }
}

class KnownListener implements Listener {
  readonly #listener: Listener
  readonly #addresses: Set<Endpoint>
  #address: Endpoint | undefined

  constructor(listener: Listener, addresses: Set<Endpoint>) {
    this.#listener = listener
    this.#addresses = addresses
  }

  async start(onConnection: (connection: Connection) => void): Promise<Endpoint> {
    this.#address = await this.#listener.start(onConnection)
    this.#addresses.add(this.#address)
    return this.#address
  }

  stop(): void {
    if (this.#address !== undefined) this.#addresses.delete(this.#address)
    this.#listener.stop()
  }

  close(): Promise<void> {
    if (this.#address !== undefined) this.#addresses.delete(this.#address)
    return this.#listener.close()
  }
}
