import { connect, constants, type ClientHttp2Session, type ClientHttp2Stream, type OutgoingHttpHeaders } from 'node:http2'
import { ProxyError, type Connection } from '@sluice/core'
import { abort, deadline, keepHttp2Handle } from '@sluice/transport'
import { Heartbeat } from './heartbeat.js'
import type { PoolTimes } from './pool-times.js'
import { codeName } from './reset-code.js'
import type { ClosedSession, SessionState } from './session-state.js'

/** What may be on the way in all streams together. */
const SESSION_WINDOW_BYTES = 64 * 1024 * 1024
/** In MB. At its default of 10 Node resets streams for want of memory once some of them wait for their clients. */
const MAX_SESSION_MEMORY = 1_024
/** Node wants a URL; with a connection at hand and each request naming its own authority, nobody ever sees it. */
const UNUSED_AUTHORITY = 'https://upstream.invalid'

/** The pool that a session belongs to. */
export interface SessionOwner {
  readonly times: PoolTimes
  /** The window of each stream. */
  readonly windowBytes: number
  /** Called after each change of state, of suspicion or of free slots. */
  changed(session: PooledSession): void
  /** Called at regular intervals while there are tunnels. */
  sampled(): void
}

/** One HTTP/2 connection to a server, with its own account of slots: Node queues requests past the server's limit in silence. */
export class PooledSession {
  readonly #session: ClientHttp2Session
  readonly #connection: Connection
  readonly #server: string
  readonly #owner: SessionOwner
  readonly #heartbeat: Heartbeat
  readonly #evictions = new Set<() => void>()
  readonly #suspicions = new Set<() => void>()
  #state: SessionState = { kind: 'settling' }
  #streams = 0
  readonly #tunnels = new Set<ClientHttp2Stream>()
  #lastAnsweredId = 0
  #limit = Number.POSITIVE_INFINITY
  #isNarrow = false
  #cancelDeadline: () => void

  /** Takes over the connection. */
  constructor(connection: Connection, server: string, owner: SessionOwner) {
    const { times, windowBytes } = owner
    this.#connection = connection
    this.#server = server
    this.#owner = owner
    const session = this.#session = connect(UNUSED_AUTHORITY, {
      createConnection: () => connection,
      maxSessionMemory: MAX_SESSION_MEMORY,
      settings: { enablePush: false, initialWindowSize: windowBytes },
    })
    session.once('connect', () => {
      session.setLocalWindowSize(SESSION_WINDOW_BYTES)
      keepHttp2Handle(session)
    })
    session.on('remoteSettings', this.#onSettings)
    session.on('goaway', this.#onGoaway)
    session.on('error', (error: Error) => this.#lost(error))
    session.once('close', () => this.#lost())
    // Half-open as it is, the connection stays when the server ends its side, and Node would not say a word.
    connection.once('end', () => this.#lost())
    this.#heartbeat = new Heartbeat(session, connection, times, {
      hasTunnels: () => this.#tunnels.size > 0,
      sampled: () => owner.sampled(),
      suspicionChanged: this.#onSuspicion,
      died: () => this.#abort(`is silent: no answer to PING within ${times.pingLimitMs} ms`),
    })
    this.#cancelDeadline = deadline(times.settleMs, () => this.#abort(`sent no SETTINGS within ${times.settleMs} ms`))
  }

  get state(): SessionState {
    return this.#state
  }

  /** Slots taken, of tunnels open or being opened. */
  get streams(): number {
    return this.#streams
  }

  /** Open tunnels that the server answered. */
  get answered(): number {
    return this.#tunnels.size
  }

  /** What came in open tunnels and was not read yet. */
  get unreadBytes(): number {
    let bytes = 0
    for (const { readableLength } of this.#tunnels) bytes += readableLength
    return bytes
  }

  /** Requests that wait for their answer. */
  get unanswered(): number {
    return this.#evictions.size
  }

  /** The latest request that was answered, by the id of its stream; ids rise. */
  get lastAnsweredId(): number {
    return this.#lastAnsweredId
  }

  /** Whether the server owes an answer to a PING for longer than is usual: nobody should rely on it now. */
  get isSuspect(): boolean {
    return this.#heartbeat.isSuspect
  }

  /** Whether tunnels may be opened in it, now or soon. */
  get isUsable(): boolean {
    return (this.#state.kind === 'settling' || this.#state.kind === 'ready') && !this.isSuspect
  }

  /** How many streams the server says that it takes. Live: it may be raised and lowered. */
  get announced(): number {
    return this.#session.remoteSettings.maxConcurrentStreams ?? Number.POSITIVE_INFINITY
  }

  /** How many more tunnels may be opened now. Negative while the server has lowered its limit below what is open. */
  get free(): number {
    return this.#state.kind === 'ready' && !this.isSuspect ? Math.min(this.announced, this.#limit) - this.#streams : 0
  }

  /** All bytes that came so far. */
  get heardBytes(): number {
    return this.#heartbeat.heardBytes
  }

  /** How long nothing was heard, in ms. */
  get silentMs(): number {
    return this.#heartbeat.silentMs
  }

  /** Takes a slot, for `request` or `release`. */
  take(): void {
    this.#streams++
    this.#cancelDeadline()
    this.#heartbeat.start()
  }

  /** Gives a slot back for which no stream was opened. */
  release(): void {
    this.#streams--
    if (this.#streams === 0) this.#onEmpty()
    this.#owner.changed(this)
  }

  /** Opens a stream in a slot that was taken; its end gives the slot back. @returns `undefined`: the session takes no more. */
  request(fields: OutgoingHttpHeaders): ClientHttp2Stream | undefined {
    try {
      if (this.#state.kind === 'ready') {
        const stream = this.#session.request(fields, { endStream: false })
        stream.once('close', () => this.release())
        return stream
      }
    } catch {
      // It closes, and Node knew before we did.
      this.drain()
    }
    this.release()
    return undefined
  }

  /** Notes an answer, and if it opened a tunnel, that tunnel until its stream closes. */
  countAnswer(stream: ClientHttp2Stream, isOpen: boolean): void {
    this.#lastAnsweredId = Math.max(this.#lastAnsweredId, stream.id ?? 0)
    if (!isOpen) return
    this.#tunnels.add(stream)
    stream.once('close', () => this.#tunnels.delete(stream))
  }

  /** Changes the window of each stream, also of those that are open (RFC 9113 §6.9.2). */
  allow(windowBytes: number): void {
    if (!this.#session.destroyed) this.#session.settings({ initialWindowSize: windowBytes })
  }

  /** To be called while a request waits for its answer. @param evict Called when it should be made elsewhere. @returns Ends it. */
  onEviction(evict: () => void): () => void {
    this.#evictions.add(evict)
    return () => this.#evictions.delete(evict)
  }

  /** Sends all requests elsewhere that wait for their answer. */
  evict(): void {
    for (const evict of [...this.#evictions]) evict()
  }

  /** @param suspect Called when the server owes an answer to a PING for longer than is usual. @returns Ends it. */
  onSuspicion(suspect: () => void): () => void {
    this.#suspicions.add(suspect)
    return () => this.#suspicions.delete(suspect)
  }

  /** Asks for a sign of life, unless one is owed already. */
  ping(): void {
    if (this.#state.kind !== 'closed') this.#heartbeat.ping()
  }

  /** The server wants less at once (ENHANCE_YOUR_CALM): half of what it has now. */
  calmDown(): void {
    this.#limit = Math.max(1, Math.floor(this.#streams / 2))
  }

  /** It answers no more than it has: who waits goes elsewhere, no more come. No GOAWAY: with it, tunnels through Apache hung. */
  narrow(): void {
    this.#isNarrow = true
    this.#limit = this.answered
    this.evict()
  }

  /** No new streams; it ends with the last one. */
  drain(): void {
    if (this.#state.kind === 'closed' || this.#state.kind === 'draining') return
    this.#setState({ kind: 'draining' })
    if (this.#streams === 0) this.#onEmpty()
    this.#session.close()
  }

  /** Cuts it at once with all its streams. */
  abort(error: ProxyError): void {
    this.#lost(error)
  }

  /**
   * How the session was lost, for a stream that found its end; `undefined`: it lives, and the end is that stream's own.
   * @param cause What the stream was told.
   */
  loss(cause?: Error): ClosedSession | undefined {
    // Node ends the streams of a lost session before it says that it is lost.
    if (this.#session.destroyed) this.#lost(cause)
    return this.#state.kind === 'closed' ? this.#state : undefined
  }

  readonly #onSettings = (): void => {
    if (this.#state.kind === 'settling') {
      this.#cancelDeadline()
      this.#setState({ kind: 'ready' })
      if (this.#streams === 0) this.#onEmpty()
    } else {
      this.#owner.changed(this)
    }
  }

  readonly #onGoaway = (code: number): void => {
    // Node destroys the session itself for any other code, and with it the tunnels.
    if (code !== constants.NGHTTP2_NO_ERROR) this.#abort(`closed the connection (GOAWAY, ${codeName(code)})`, code)
    else if (this.#state.kind !== 'closed') {
      this.#setState({ kind: 'draining' })
      if (this.#streams === 0) this.#onEmpty()
    }
  }

  readonly #onSuspicion = (): void => {
    if (this.isSuspect) for (const suspect of [...this.#suspicions]) suspect()
    this.#owner.changed(this)
  }

  #abort(why: string, goawayCode?: number): void {
    this.#lost(new ProxyError('CLOSED', `Server ${this.#server} ${why}`, { phase: 'connect', server: this.#server }), goawayCode)
  }

  #lost(cause?: Error, goawayCode?: number): void {
    if (this.#state.kind === 'closed') return
    this.#heartbeat.stop()
    this.#cancelDeadline()
    const why = cause === undefined ? '' : `: ${cause.message}`
    const about = { server: this.#server, cause } as const
    const error = cause instanceof ProxyError
      ? cause
      : new ProxyError('CLOSED', `Connection to ${this.#server} was lost${why}`, { phase: 'connect', ...about })
    // One for all of them: an error is not cheap.
    const cut = new ProxyError('ABORT', `The tunnel was cut: ${error.message}`, { phase: 'relay', ...about })
    const wasReady = this.#state.kind !== 'settling'
    this.#setState({ kind: 'closed', error, cut, wasReady, ...(goawayCode === undefined ? {} : { goawayCode }) })
    // Not the session is ended but what is under it: Node then cuts the streams, where `session.destroy()` seems to end some in order.
    // And not in the midst of a frame.
    process.nextTick(() => {
      if (this.#streams > 0) return abort(this.#connection, error)
      // Says GOAWAY.
      this.#session.destroy()
      setImmediate(() => this.#connection.destroy())
    })
  }

  /** The last tunnel ended. */
  #onEmpty(): void {
    this.#heartbeat.pause()
    this.#cancelDeadline()
    const { idleMs, lingerMs } = this.#owner.times
    if (this.#state.kind === 'draining') this.#cancelDeadline = deadline(lingerMs, () => this.#lost())
    else if (this.#isNarrow) this.drain()
    else if (this.#state.kind === 'ready') this.#cancelDeadline = deadline(idleMs, () => this.drain())
  }

  #setState(state: SessionState): void {
    this.#state = state
    this.#owner.changed(this)
  }
}
