import { constants, performServerHandshake, type IncomingHttpHeaders, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2'
import { ProxyError, type Connection, type HeaderList } from '@sluice/core'
import { abort, deadline, keepHttp2Handle } from '@sluice/transport'
import { fieldsOf } from '../hop-by-hop.js'
import { ClientLiveness } from './client-liveness.js'
import { tellCuts } from './tell-cuts.js'

/** Tunnels at once in one connection; further ones are refused unprocessed (REFUSED_STREAM), so that the client makes another. */
const MAX_STREAMS = 256
/** What may wait unread in one stream, and in all of a session, before the client must pause. The default of 64 KiB starves long paths. */
const STREAM_WINDOW_BYTES = 4 * 1024 * 1024
const SESSION_WINDOW_BYTES = 64 * 1024 * 1024
/** In MB. At its default of 10 Node resets streams for want of memory once some of them wait for their targets. */
const MAX_SESSION_MEMORY = 1_024
/** Durations in ms. No settings: only tests change them. */
export interface SessionTimes {
  /** A client without a tunnel is let go after this; one that made ready and asked for nothing yet, too. */
  readonly idleMs: number
  /** A connection that we have ended and its client does not goes after this. */
  readonly lingerMs: number
  /** After this much silence a client is asked for a sign of life, and after as much again it is given up. */
  readonly silenceMs: number
}

const SESSION_TIMES: SessionTimes = { idleMs: 60_000, lingerMs: 5_000, silenceMs: 20_000 }

/** One request, before anything is answered. */
export interface StreamRequest {
  readonly stream: ServerHttp2Stream
  readonly method: string
  /** `:authority`; of a CONNECT it is the target, as the client wrote it. */
  readonly authority: string
  readonly fields: HeaderList
}

export interface ClientSessionOptions {
  /** How long a client may take for its SETTINGS, in ms; 0 = no limit. */
  readonly handshakeMs: number
  readonly onRequest: (request: StreamRequest) => void
  /** What the client did wrong, so that its connection is given up. */
  readonly onFailed: (error: Error) => void
  readonly times?: SessionTimes
}

/**
 * One client's HTTP/2 connection, to its end. Floods of resets, of frames that want an answer and of header fields are bounded by
 * Node, which closes the connection.
 */
export class ClientSession {
  /** Resolves when the connection is gone. */
  readonly closed: Promise<void>
  readonly #connection: Connection
  readonly #session: ServerHttp2Session
  readonly #options: ClientSessionOptions
  readonly #times: SessionTimes
  #streams = 0
  #isLost = false
  #cancelDeadline: () => void

  /** Takes over the connection. */
  constructor(connection: Connection, options: ClientSessionOptions) {
    const { handshakeMs, times = SESSION_TIMES } = options
    this.#connection = connection
    this.#options = options
    this.#times = times
    const session = performServerHandshake(connection, {
      maxSessionMemory: MAX_SESSION_MEMORY,
      settings: { maxConcurrentStreams: MAX_STREAMS, initialWindowSize: STREAM_WINDOW_BYTES },
    })
    this.#session = session
    session.once('connect', () => {
      session.setLocalWindowSize(SESSION_WINDOW_BYTES)
      keepHttp2Handle(session)
    })
    session.once('remoteSettings', () => {
      if (this.#streams === 0) this.#rest()
    })
    session.on('stream', this.#onStream)
    session.on('goaway', (code: number) => {
      if (code === constants.NGHTTP2_NO_ERROR) this.drain()
    })
    session.on('error', (error: Error) => this.#failed(error))
    // Half-open as it is, the connection stays when the client ends its side, and Node would not say a word.
    connection.once('end', () => this.#lost())
    const liveness = new ClientLiveness(session, connection, times.silenceMs, () => {
      this.#failed(new ProxyError('CLOSED', 'The client gives no sign of life', { side: 'downstream', phase: 'relay' }))
    })
    this.closed = new Promise((resolve) => {
      connection.once('close', () => {
        liveness.stop()
        this.#cancelDeadline()
        resolve()
      })
    })
    this.#cancelDeadline = deadline(handshakeMs, () => {
      const message = `The client sent no SETTINGS within ${handshakeMs} ms`
      this.#failed(new ProxyError('TIMEOUT', message, { side: 'downstream', phase: 'handshake' }))
      connection.destroy()
    })
  }

  /** Takes no more requests (GOAWAY, RFC 9113 §6.8), and ends with the last stream: at once, if there is none. */
  drain(): void {
    if (this.#session.destroyed) return
    this.#session.close()
    if (this.#streams === 0) this.#end()
  }

  readonly #onStream = (stream: ServerHttp2Stream, headers: IncomingHttpHeaders, _flags: number, rawHeaders: readonly string[]): void => {
    stream.on('error', ignore)
    // Reset by the same bytes that opened it.
    if (stream.closed || stream.destroyed) return
    this.#streams++
    this.#cancelDeadline()
    stream.once('close', () => {
      this.#streams--
      if (this.#streams === 0) this.#rest()
    })
    tellCuts(stream)
    const { ':method': method = '', ':authority': authority = '' } = headers
    this.#options.onRequest({ stream, method, authority, fields: fieldsOf(rawHeaders) })
  }

  #failed(error: Error): void {
    // What we do to a connection that is lost already shows as a fault of it.
    if (!this.#isLost) this.#options.onFailed(error)
    this.#lost(error)
  }

  /** The connection is of no more use: its end came, or none will, or Node found a fault in what came. */
  #lost(cause?: Error): void {
    if (this.#isLost) return
    this.#isLost = true
    const error = new ProxyError('ABORT', 'The client lost its connection', { side: 'downstream', phase: 'relay', cause })
    // Not the session is ended but what is under it: Node then cuts the streams, where `session.destroy()` seems to end some in order.
    // And not in the midst of a frame.
    process.nextTick(() => {
      if (this.#streams > 0) abort(this.#connection, error)
      else this.#end()
    })
  }

  /** No stream is left. */
  #rest(): void {
    if (this.#session.closed || this.#session.destroyed) return this.#end()
    this.#cancelDeadline()
    this.#cancelDeadline = deadline(this.#times.idleMs, () => this.drain())
  }

  #end(): void {
    this.#cancelDeadline()
    if (this.#connection.destroyed) return
    this.#session.close()
    this.#cancelDeadline = deadline(this.#times.lingerMs, () => this.#connection.destroy())
  }
}

function ignore(): void {}
