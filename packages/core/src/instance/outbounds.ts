import type { Connection } from '../contracts/connection.js'
import type { Context } from '../contracts/context.js'
import type { Dialer } from '../contracts/dialer.js'
import type { Link } from '../contracts/link.js'
import { isTunnelOutbound, type Outbound, type OutboundHandler, type OutboundManager } from '../contracts/outbound.js'

/** An outbound under its tag with the one dialer that all of its sessions share. */
export class DialingOutboundHandler implements OutboundHandler {
  readonly tag: string
  readonly protocol: string
  readonly connect?: (ctx: Context) => Promise<Connection>
  readonly #outbound: Outbound
  readonly #dialer: Dialer

  constructor(tag: string, protocol: string, outbound: Outbound, dialer: Dialer) {
    this.tag = tag
    this.protocol = protocol
    this.#outbound = outbound
    this.#dialer = dialer
    if (isTunnelOutbound(outbound)) this.connect = (ctx) => outbound.connect(ctx, dialer)
  }

  process(ctx: Context, link: Link): Promise<void> {
    return this.#outbound.process(ctx, link, this.#dialer)
  }

  async start(): Promise<void> {
    await this.#outbound.start?.()
  }

  async close(): Promise<void> {
    await this.#outbound.close?.()
  }
}

/** The outbounds of one instance. Filled while the instance is built, and not changed afterwards. */
export class Outbounds implements OutboundManager {
  readonly #handlers: DialingOutboundHandler[] = []
  readonly #byTag = new Map<string, DialingOutboundHandler>()

  get default(): DialingOutboundHandler | undefined {
    return this.#handlers[0]
  }

  get tags(): readonly string[] {
    return [...this.#byTag.keys()]
  }

  get(tag: string): DialingOutboundHandler | undefined {
    return this.#byTag.get(tag)
  }

  add(handler: DialingOutboundHandler): void {
    this.#handlers.push(handler)
    if (handler.tag !== '') this.#byTag.set(handler.tag, handler)
  }

  [Symbol.iterator](): IterableIterator<DialingOutboundHandler> {
    return this.#handlers.values()
  }
}
