import { SocketLink } from '@sluice/transport'
import type { Connection, Dispatch, HeaderList, SessionRequest } from '@sluice/core'
import { failureAnswer, refusalAnswer } from '../answer.js'
import { RequestRefusal } from '../request-refusal.js'
import { openStream, refuseStream } from './answer-stream.js'
import { ClientSession, type StreamRequest } from './client-session.js'

export interface Http2ConnectOptions {
  /** How long a client may take to begin, in ms; 0 = no limit. */
  readonly handshakeMs: number
  /** @throws {RequestRefusal} */
  readonly sessionOf: (authority: string, fields: HeaderList, connection: Connection) => SessionRequest
  /** Told what was wrong with a request, or with all of a connection. */
  readonly onTurnedAway: (connection: Connection, error: Error) => void
}

/**
 * Serves CONNECT over HTTP/2 (RFC 9113 §8.5): each stream is a session, and what becomes of one is no other's business. Plain
 * requests are served over HTTP/1.1 only.
 */
export class Http2Connect {
  readonly #options: Http2ConnectOptions
  readonly #sessions = new Set<ClientSession>()

  constructor(options: Http2ConnectOptions) {
    this.#options = options
  }

  /** Serves a connection on which TLS agreed on h2, to its end and that of its sessions. */
  async serve(connection: Connection, dispatch: Dispatch): Promise<void> {
    const { handshakeMs, onTurnedAway } = this.#options
    const running = new Set<Promise<void>>()
    const session = new ClientSession(connection, {
      handshakeMs,
      onRequest: (request) => {
        const run = this.#tunnel(connection, request, dispatch).finally(() => running.delete(run))
        running.add(run)
      },
      onFailed: (error) => onTurnedAway(connection, error),
    })
    this.#sessions.add(session)
    await session.closed
    this.#sessions.delete(session)
    await Promise.all(running)
  }

  /** Ends the connections without a tunnel, and the others with their last one. */
  drain(): void {
    for (const session of this.#sessions) session.drain()
  }

  async #tunnel(connection: Connection, { stream, method, authority, fields }: StreamRequest, dispatch: Dispatch): Promise<void> {
    try {
      if (method !== 'CONNECT') throw plainRequest()
      await dispatch(this.#options.sessionOf(authority, fields, connection), new SocketLink(stream, () => openStream(stream)))
    } catch (error) {
      const isRefused = error instanceof RequestRefusal
      if (isRefused) this.#options.onTurnedAway(connection, error)
      refuseStream(stream, isRefused ? refusalAnswer(error) : failureAnswer(error))
    }
  }
}

function plainRequest(): RequestRefusal {
  return new RequestRefusal(501, 'UNSUPPORTED', 'Over HTTP/2 only CONNECT is served', 'use CONNECT, or HTTP/1.1 for plain requests')
}
