import type { ClientHttp2Session } from 'node:http2'
import type { Connection } from '@sluice/core'
import type { PoolTimes } from './pool-times.js'

/** The silence is looked at this many times until it is too long. */
const LOOKS_PER_SILENCE = 15

/** `calm`: no PING is out. `asked`: one is. `suspect`: it is out for longer than usual. */
type Pulse =
  | { readonly kind: 'calm' }
  | { readonly kind: 'asked' | 'suspect', readonly askedAt: number, readonly timer: NodeJS.Timeout }

const CALM: Pulse = { kind: 'calm' }

export interface HeartbeatOwner {
  /** Whether tunnels would be cut with the connection. */
  hasTunnels(): boolean
  /** Called at regular intervals while the silence is minded. */
  sampled(): void
  /** The connection became suspect, or is no longer. */
  suspicionChanged(): void
  /** Nothing was heard for too long. */
  died(): void
}

/**
 * Whether the other end of an HTTP/2 connection still lives. Any byte is a sign of life. After a long silence, or when asked, it
 * sends a PING (RFC 9113 §6.7), which Node itself would wait for without end.
 *
 * A connection with tunnels is given up only after the whole silence and the limit of the PING, so that a PING in between, sent
 * with a request, cuts nobody who would have waited.
 */
export class Heartbeat {
  readonly #session: ClientHttp2Session
  readonly #times: PoolTimes
  readonly #owner: HeartbeatOwner
  readonly #bytesRead: () => number
  #sampler: NodeJS.Timeout | undefined
  #pulse: Pulse = CALM
  #seenBytes = 0
  #lookedAt = performance.now()
  #heardAt = performance.now()

  constructor(session: ClientHttp2Session, connection: Connection, times: PoolTimes, owner: HeartbeatOwner) {
    this.#session = session
    this.#times = times
    this.#owner = owner
    this.#bytesRead = bytesReadOf(connection)
  }

  /** All bytes that came so far. */
  get heardBytes(): number {
    return this.#bytesRead()
  }

  /** How long nothing was heard, in ms; too much rather than too little. */
  get silentMs(): number {
    this.#look()
    return performance.now() - this.#heardAt
  }

  /** Whether an answer to a PING is out for longer than usual. */
  get isSuspect(): boolean {
    return this.#pulse.kind === 'suspect'
  }

  /** Minds the silence from now on. */
  start(): void {
    this.#sampler ??= setInterval(this.#sample, this.#times.silenceMs / LOOKS_PER_SILENCE).unref()
  }

  /** Minds the silence no more. A PING that is out is still waited for. */
  pause(): void {
    clearInterval(this.#sampler)
    this.#sampler = undefined
  }

  /** Ends everything. */
  stop(): void {
    this.pause()
    this.#calm()
  }

  /** Asks for a sign of life, unless it is done already. */
  ping(): void {
    this.#look()
    if (this.#pulse.kind !== 'calm' || this.#session.destroyed) return
    this.#setPulse('asked', performance.now(), this.#times.suspectMs)
    this.#session.ping((error) => {
      if (error !== null) return
      this.#heardAt = performance.now()
      this.#calm()
    })
  }

  readonly #sample = (): void => {
    if (this.silentMs >= this.#times.silenceMs) this.ping()
    this.#owner.sampled()
  }

  /** Notes whether bytes came since the last look. When they did is not known: at that look, at the earliest. */
  #look(): void {
    const bytes = this.#bytesRead()
    if (bytes !== this.#seenBytes) {
      this.#seenBytes = bytes
      this.#heardAt = this.#lookedAt
      this.#calm()
    }
    this.#lookedAt = performance.now()
  }

  #setPulse(kind: 'asked' | 'suspect', askedAt: number, ms: number): void {
    const timer = setTimeout(() => {
      // If the event loop was held up, the answer may be there and only not read yet: it is read before this is called.
      setImmediate(() => this.#overdue(timer))
    }, ms).unref()
    this.#pulse = { kind, askedAt, timer }
  }

  #overdue(timer: NodeJS.Timeout): void {
    this.#look()
    const { silenceMs, pingLimitMs, suspectMs } = this.#times
    if (this.#pulse.kind === 'calm' || this.#pulse.timer !== timer) return
    if (this.#pulse.kind === 'asked') {
      this.#setPulse('suspect', this.#pulse.askedAt, pingLimitMs - suspectMs)
      this.#owner.suspicionChanged()
      return
    }
    const leftMs = this.#owner.hasTunnels() ? silenceMs + pingLimitMs - (performance.now() - this.#heardAt) : 0
    if (leftMs > 0) this.#setPulse('suspect', this.#pulse.askedAt, leftMs)
    else this.#owner.died()
  }

  #calm(): void {
    const pulse = this.#pulse
    if (pulse.kind === 'calm') return
    clearTimeout(pulse.timer)
    this.#pulse = CALM
    if (pulse.kind === 'suspect') this.#owner.suspicionChanged()
  }
}

/** A socket counts what its handle reads, also when HTTP/2 has taken that over; other streams are listened to. */
function bytesReadOf(connection: Connection & { readonly bytesRead?: number }): () => number {
  if (connection.bytesRead !== undefined) return () => connection.bytesRead ?? 0
  let bytes = 0
  // HTTP/2 listens as well, and has paused the stream or let it flow as it needs. The listener goes with the connection.
  connection.on('data', (chunk: Buffer) => {
    bytes += chunk.length
  })
  return () => bytes
}
