import { connect, constants, type ClientHttp2Session, type ClientHttp2Stream, type OutgoingHttpHeaders } from 'node:http2'
import { ProxyError, type Connection } from '@sluice/core'
import { abort, deadline } from '@sluice/transport'

/** What may wait unread in one stream, and in all of a session, before the server must pause. The default of 64 KiB starves long paths. */
const STREAM_WINDOW_BYTES = 4 * 1024 * 1024
const SESSION_WINDOW_BYTES = 64 * 1024 * 1024
/** In MB. At its default of 10 Node resets streams for want of memory once some of them wait for their clients. */
const MAX_SESSION_MEMORY = 1_024
/** With tunnels open and nothing heard for this long, the session is asked for a sign of life. */
const SILENCE_MS = 15_000
/** Without that sign for this long, it is dead. */
const PING_LIMIT_MS = 5_000
const WATCH_MS = 1_000
const IDLE_MS = 60_000

/**
 * Where a session is in its life. `settling`: the server's SETTINGS are awaited. `ready`: streams may be opened. `draining`: no new
 * streams, those that live go on (GOAWAY, RFC 9113 §6.8). `closed`: the end.
 */
export type SessionState =
  | { readonly kind: 'settling' }
  | { readonly kind: 'ready' }
  | { readonly kind: 'draining' }
  | { readonly kind: 'closed', readonly error: ProxyError, readonly wasReady: boolean }

/** Durations of a session's care, for tests. All in ms. */
export interface SessionTimes {
  readonly silenceMs: number
  readonly pingLimitMs: number
  readonly idleMs: number
}

export const SESSION_TIMES: SessionTimes = { silenceMs: SILENCE_MS, pingLimitMs: PING_LIMIT_MS, idleMs: IDLE_MS }

/** One HTTP/2 connection to a server, with its own account of slots: Node queues requests past the server's limit in silence. */
export class PooledSession {
  readonly #session: ClientHttp2Session
  readonly #connection: Connection & { readonly bytesRead?: number }
  readonly #server: string
  readonly #times: SessionTimes
  readonly #changed: (session: PooledSession) => void
  readonly #watch: NodeJS.Timeout
  #state: SessionState = { kind: 'settling' }
  #streams = 0
  #answered = 0
  #limit = Number.POSITIVE_INFINITY
  #heardBytes = 0
  #heardAt = Date.now()
  #pingSentAt: number | undefined
  #cancelIdle: () => void = () => {}
  readonly #unanswered = new Set<() => void>()

  /** @param changed Called after each change of state or of free slots. */
  constructor(connection: Connection, server: string, changed: (session: PooledSession) => void, times = SESSION_TIMES) {
    this.#connection = connection
    this.#server = server
    this.#changed = changed
    this.#times = times
    const session = connect(`https://${server}`, {
      createConnection: () => connection,
      maxSessionMemory: MAX_SESSION_MEMORY,
      settings: { enablePush: false, initialWindowSize: STREAM_WINDOW_BYTES },
    })
    this.#session = session
    session.once('connect', () => session.setLocalWindowSize(SESSION_WINDOW_BYTES))
    session.on('remoteSettings', this.#onSettings)
    session.on('goaway', this.#onGoaway)
    session.on('error', (error: Error) => this.#lost(error))
    session.once('close', () => this.#lost())
    this.#watch = setInterval(this.#checkAlive, WATCH_MS).unref()
  }

  get state(): SessionState {
    return this.#state
  }

  /** Slots taken, of tunnels open or being opened. */
  get streams(): number {
    return this.#streams
  }

  /** Tunnels that the server answered. */
  get answered(): number {
    return this.#answered
  }

  /** Whether the server owes an answer to a PING for longer than is usual: nobody should rely on it now. */
  get isSuspect(): boolean {
    return this.#pingSentAt !== undefined && Date.now() - this.#pingSentAt >= WATCH_MS
  }

  /** How many streams it takes: the server's word, or less if the server was found to answer fewer. */
  get capacity(): number {
    return Math.min(this.#session.remoteSettings.maxConcurrentStreams ?? Number.POSITIVE_INFINITY, this.#limit)
  }

  /** How many more tunnels may be opened now. Negative while the server has lowered its limit below what is open. */
  get free(): number {
    return this.#state.kind === 'ready' && !this.isSuspect ? this.capacity - this.#streams : 0
  }

  /** Takes a slot, for `request` or `release`. */
  take(): void {
    this.#streams++
    this.#cancelIdle()
  }

  /** Gives a slot back for which no stream was opened. */
  release(): void {
    this.#streams--
    if (this.#streams === 0) this.#startIdle()
    this.#changed(this)
  }

  /** Opens a stream in a slot that was taken; its end gives the slot back. @throws {Error} if the session takes no more. */
  request(headers: OutgoingHttpHeaders): ClientHttp2Stream {
    if (this.#state.kind !== 'ready') throw new ProxyError('REFUSED', `Connection to ${this.#server} takes no more requests`, { phase: 'connect', server: this.#server })
    const stream = this.#session.request(headers, { endStream: false })
    stream.once('close', () => this.release())
    return stream
  }

  /** Notes a tunnel that the server answered, until its stream closes. */
  countAnswered(stream: ClientHttp2Stream): void {
    this.#answered++
    stream.once('close', () => this.#answered--)
  }

  /** Calls `evict` if the session is found not to answer what waits for an answer. @returns Ends it. */
  onEviction(evict: () => void): () => void {
    this.#unanswered.add(evict)
    return () => this.#unanswered.delete(evict)
  }

  /** Takes this many streams from now on; what waits beyond them is told to go elsewhere. */
  limitTo(streams: number): void {
    this.#limit = streams
    if (this.#streams <= this.capacity) return
    for (const evict of [...this.#unanswered]) evict()
  }

  /** Lifts what `limitTo` set. */
  unlimit(): void {
    this.#limit = Number.POSITIVE_INFINITY
    this.#changed(this)
  }

  /** How long nothing was heard, in ms. */
  get silentMs(): number {
    this.#listen()
    return Date.now() - this.#heardAt
  }

  /** Asks for a sign of life, unless one is owed already. */
  ping(): void {
    if (this.#pingSentAt !== undefined || this.#session.destroyed) return
    const sentAt = Date.now()
    this.#pingSentAt = sentAt
    try {
      this.#session.ping((error) => {
        if (error !== null) return
        this.#pingSentAt = undefined
        this.#heardAt = Date.now()
        this.#changed(this)
      })
    } catch (error) {
      this.#lost(error as Error)
    }
  }

  /** No new streams; it ends with the last one. */
  drain(): void {
    if (this.#state.kind === 'closed') return
    this.#setState({ kind: 'draining' })
    this.#session.close()
  }

  /** Cuts it at once with all its streams. */
  abort(error: ProxyError): void {
    this.#lost(error)
  }

  readonly #onSettings = (): void => {
    if (this.#state.kind === 'settling') {
      this.#setState({ kind: 'ready' })
      if (this.#streams === 0) this.#startIdle()
    } else {
      this.#changed(this)
    }
  }

  readonly #onGoaway = (code: number): void => {
    if (this.#state.kind === 'closed') return
    // Node destroys the session itself for any other code, and with it the tunnels.
    if (code === constants.NGHTTP2_NO_ERROR) this.#setState({ kind: 'draining' })
  }

  #lost(cause?: Error): void {
    if (this.#state.kind === 'closed') return
    clearInterval(this.#watch)
    this.#cancelIdle()
    const why = cause === undefined ? '' : `: ${cause.message}`
    const options = { phase: 'connect', server: this.#server, cause } as const
    const error = cause instanceof ProxyError ? cause : new ProxyError('CLOSED', `Connection to ${this.#server} was lost${why}`, options)
    const wasReady = this.#state.kind !== 'settling'
    this.#setState({ kind: 'closed', error, wasReady })
    this.#session.destroy()
    abort(this.#connection, error)
  }

  #startIdle(): void {
    this.#cancelIdle()
    this.#cancelIdle = deadline(this.#times.idleMs, () => this.drain())
  }

  #listen(): void {
    const bytes = this.#connection.bytesRead ?? 0
    if (bytes === this.#heardBytes) return
    this.#heardBytes = bytes
    this.#heardAt = Date.now()
  }

  readonly #checkAlive = (): void => {
    if (this.#streams === 0) return
    if (this.#pingSentAt !== undefined) {
      if (Date.now() - this.#pingSentAt >= this.#times.pingLimitMs) {
        this.#lost(new ProxyError('CLOSED', `Server ${this.#server} is silent: no answer to PING within ${this.#times.pingLimitMs} ms`, { phase: 'connect', server: this.#server }))
      }
    } else if (this.silentMs >= this.#times.silenceMs) {
      this.ping()
    }
  }

  #setState(state: SessionState): void {
    this.#state = state
    this.#changed(this)
  }
}
