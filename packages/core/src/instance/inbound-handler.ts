import type { Connection } from '../contracts/connection.js'
import type { Endpoint } from '../contracts/destination.js'
import type { Inbound } from '../contracts/inbound.js'
import type { Sniffer } from '../contracts/sniffer.js'
import type { Listener } from '../contracts/transport.js'
import { toProxyError } from '../errors/proxy-error.js'
import type { InstanceEvents } from '../events.js'
import type { Dispatcher } from './dispatcher.js'

/** Where an inbound listens. */
export interface Listening {
  readonly tag: string
  readonly protocol: string
  readonly address: Endpoint
}

/** A listener together with the inbound that serves its connections. */
export class InboundHandler {
  readonly tag: string
  readonly protocol: string
  readonly #inbound: Inbound
  readonly #listener: Listener
  readonly #dispatcher: Dispatcher
  readonly #events: InstanceEvents
  readonly #sniffer: { readonly sniffer?: Sniffer }
  #address: Endpoint | undefined

  constructor(
    tag: string, protocol: string, inbound: Inbound, listener: Listener, dispatcher: Dispatcher, events: InstanceEvents, sniffer?: Sniffer,
  ) {
    this.tag = tag
    this.protocol = protocol
    this.#inbound = inbound
    this.#listener = listener
    this.#dispatcher = dispatcher
    this.#events = events
    this.#sniffer = sniffer === undefined ? {} : { sniffer }
  }

  /** Where it listens; `undefined` before the start. */
  get listening(): Listening | undefined {
    return this.#address === undefined ? undefined : { tag: this.tag, protocol: this.protocol, address: this.#address }
  }

  async start(): Promise<void> {
    this.#address = await this.#listener.start((connection) => void this.#serve(connection))
  }

  /** Accepts no more and lets go of what only waits. */
  drain(): void {
    this.#listener.stop()
    try {
      this.#inbound.drain?.()
    } catch (error) {
      this.#events.log('error', `Inbound "${this.tag}" failed to drain`, { error })
    }
  }

  close(): Promise<void> {
    return this.#listener.close()
  }

  async #serve(connection: Connection): Promise<void> {
    const { remoteAddress: host, remotePort: port } = connection
    const source = host === undefined || port === undefined ? {} : { source: { host, port } }
    const origin = { inboundTag: this.tag, ...source, ...this.#sniffer }
    try {
      await this.#inbound.handle(connection, (request, link) => this.#dispatcher.dispatch(origin, request, link))
    } catch (error) {
      const bug = toProxyError(error)
      this.#events.log('error', `Inbound "${this.tag}" failed on a connection: ${bug.message}`, { error })
      connection.destroy(bug)
    }
  }
}
