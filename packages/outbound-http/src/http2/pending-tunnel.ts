import { constants, sensitiveHeaders, type ClientHttp2Stream, type IncomingHttpHeaders, type OutgoingHttpHeaders } from 'node:http2'
import { ProxyError, type Connection } from '@sluice/core'
import type { ConnectRequest } from '../http1-connect.js'
import { refusalOf } from '../refusal.js'
import type { PooledSession } from './pooled-session.js'
import { resetError } from './reset-code.js'

const MAX_INTERIM_RESPONSES = 16

/** How a request for a tunnel ended: with the tunnel, a failure, or told to go to another session (nothing was sent in it yet). */
export type PendingOutcome =
  | { readonly kind: 'open', readonly connection: Connection }
  | { readonly kind: 'failed', readonly error: ProxyError, readonly rstCode?: number }
  | { readonly kind: 'evicted' }

/**
 * One CONNECT in one stream, until its answer (RFC 9113 §8.5): `:method` and `:authority`, the credentials never indexed, and the
 * configured fields. 1xx are skipped, any 2xx opens, and every other end of the stream is a failure. Node announces some of them by
 * `close` alone, so that is what counts.
 */
export class PendingTunnel {
  readonly session: PooledSession
  readonly #request: ConnectRequest
  readonly #settled: (outcome: PendingOutcome, pending: PendingTunnel) => void
  readonly #stream: ClientHttp2Stream | undefined
  readonly #stopEviction: () => void = () => {}
  #interim = 0
  #isSettled = false

  /** Takes over a slot of the session. @param settled Called once, never from within the constructor. */
  constructor(session: PooledSession, request: ConnectRequest, settled: (outcome: PendingOutcome, pending: PendingTunnel) => void) {
    this.session = session
    this.#request = request
    this.#settled = settled
    try {
      this.#stream = session.request(headersOf(request))
    } catch (error) {
      session.release()
      // A session that closed meanwhile throws here on Node 20 and 22, and by `error` on later ones.
      queueMicrotask(() => this.#fail(new ProxyError('REFUSED', `Connection to ${request.server} takes no more requests`, {
        phase: 'connect', server: request.server, cause: error,
      })))
      return
    }
    const stream = this.#stream
    stream.on('error', () => {})
    stream.on('headers', this.#onInterim)
    stream.on('response', this.#onResponse)
    stream.on('close', this.#onClose)
    this.#stopEviction = session.onEviction(() => {
      this.#settle({ kind: 'evicted' })
      this.cancel()
    })
  }

  /** Gives up: the stream is reset, and nothing is told any more. */
  cancel(): void {
    this.#isSettled = true
    this.#release()
    this.#stream?.close(constants.NGHTTP2_CANCEL)
  }

  readonly #onInterim = (): void => {
    if (++this.#interim <= MAX_INTERIM_RESPONSES) return
    const { server } = this.#request
    this.#fail(new ProxyError('LIMIT', `Server ${server} sent more than ${MAX_INTERIM_RESPONSES} interim answers`, { phase: 'connect', server }))
    this.cancel()
  }

  readonly #onResponse = (headers: IncomingHttpHeaders): void => {
    const stream = this.#stream
    const status = Number(headers[':status'])
    if (stream === undefined || this.#isSettled) return
    if (status >= 200 && status <= 299) {
      this.session.countAnswered(stream)
      this.#settle({ kind: 'open', connection: stream })
      return
    }
    const { server, credentials } = this.#request
    this.#fail(refusalOf({ status, reason: '', fields: fieldsOf(headers) }, server, credentials !== undefined))
    this.cancel()
  }

  readonly #onClose = (): void => {
    const { state } = this.session
    if (state.kind === 'closed') {
      this.#fail(state.error)
      return
    }
    const rstCode = this.#stream?.rstCode ?? constants.NGHTTP2_NO_ERROR
    this.#settle({ kind: 'failed', error: resetError(rstCode, this.#request.server), rstCode })
  }

  #fail(error: ProxyError): void {
    this.#settle({ kind: 'failed', error })
  }

  #settle(outcome: PendingOutcome): void {
    if (this.#isSettled) return
    this.#isSettled = true
    this.#release()
    this.#settled(outcome, this)
  }

  /** Takes our listeners off, but for the one that keeps an error from ending the process. */
  #release(): void {
    this.#stopEviction()
    this.#stream?.off('headers', this.#onInterim)
    this.#stream?.off('response', this.#onResponse)
    this.#stream?.off('close', this.#onClose)
  }
}

function headersOf({ authority, credentials, headers }: ConnectRequest): OutgoingHttpHeaders {
  const fields: OutgoingHttpHeaders & { [sensitiveHeaders]?: string[] } = { ':method': 'CONNECT', ':authority': authority }
  for (const [name, value] of headers) fields[name.toLowerCase()] = value
  if (credentials !== undefined) {
    fields['proxy-authorization'] = credentials.reveal()
    fields[sensitiveHeaders] = ['proxy-authorization']
  }
  return fields
}

function fieldsOf(headers: IncomingHttpHeaders): Map<string, string[]> {
  const entries = Object.entries(headers).filter(([name, value]) => !name.startsWith(':') && value !== undefined)
  return new Map(entries.map(([name, value]) => [name, Array.isArray(value) ? value : [String(value)]]))
}
