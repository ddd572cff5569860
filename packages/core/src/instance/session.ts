import type { Context, SessionRecord, User } from '../contracts/context.js'
import type { Destination, Endpoint } from '../contracts/destination.js'
import type { HttpRequestHead } from '../contracts/link.js'
import type { SessionRequest } from '../contracts/inbound.js'
import type { Sniffed } from '../contracts/sniffed.js'
import type { Sniffer } from '../contracts/sniffer.js'

/** Where sessions come from: an inbound's tag and what sniffs for it, and the client's address. */
export interface Origin {
  readonly inboundTag: string
  readonly source?: Endpoint
  readonly sniffer?: Sniffer
}

/** A session as its owner sees it: the context that everybody has, and the right to cancel it. */
export class Session implements Context {
  readonly id: string
  target: Destination
  readonly source?: Endpoint
  readonly inboundTag: string
  readonly user?: User
  sniffed?: Sniffed
  readonly http?: HttpRequestHead
  readonly record: SessionRecord
  readonly #controller = new AbortController()
  readonly #startedAtMs = performance.now()

  constructor(id: string, origin: Origin, request: SessionRequest, http?: HttpRequestHead) {
    this.id = id
    this.target = request.target
    this.inboundTag = origin.inboundTag
    if (origin.source !== undefined) this.source = origin.source
    if (request.user !== undefined) this.user = request.user
    if (http !== undefined) this.http = http
    this.record = { startedAt: Date.now(), uplinkBytes: 0, downlinkBytes: 0, attempts: 0 }
  }

  get signal(): AbortSignal {
    return this.#controller.signal
  }

  /** Whole milliseconds since the start, whatever happens to the clock on the wall. */
  get elapsedMs(): number {
    return Math.round(performance.now() - this.#startedAtMs)
  }

  /** Whoever works for the session stops, and `process` rejects with this reason. */
  cancel(reason: Error): void {
    this.#controller.abort(reason)
  }
}
