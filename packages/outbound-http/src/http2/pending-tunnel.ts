import { constants, type ClientHttp2Stream, type IncomingHttpHeaders } from 'node:http2'
import { ProxyError, type Connection } from '@sluice/core'
import type { EarlyData } from '../early-data.js'
import type { ConnectRequest } from '../http1-connect.js'
import { refusalOf } from '../refusal.js'
import { connectFields } from './connect-fields.js'
import type { PooledSession } from './pooled-session.js'
import { codeName, resetError } from './reset-code.js'
import { resetWithoutEnd, tellCuts } from './tunnel-stream.js'

const MAX_INTERIM_RESPONSES = 16
/** How Node says that a session had closed before it took the request; on Node 20 and 22 it throws this instead. */
const UNSENT: ReadonlySet<string | undefined> = new Set(['ERR_HTTP2_GOAWAY_SESSION', 'ERR_HTTP2_INVALID_SESSION'])

/**
 * How a request for a tunnel ended: with the tunnel, a failure, or told to go to another session (nothing was sent in it yet).
 * `isAnswer`: the server has answered this very request, and would not answer it otherwise elsewhere.
 */
export type PendingOutcome =
  | { readonly kind: 'open', readonly connection: Connection }
  | { readonly kind: 'failed', readonly error: ProxyError, readonly isAnswer: boolean, readonly rstCode?: number }
  | { readonly kind: 'evicted' }

export interface PendingOptions {
  /** Called once, never from within the constructor. */
  readonly settled: (outcome: PendingOutcome, pending: PendingTunnel) => void
  /** Goes with the request. */
  readonly early?: EarlyData | undefined
}

/**
 * One CONNECT in one stream, until its answer (RFC 9113 §8.5). 1xx are skipped, any 2xx opens, and every other end of the stream is
 * a failure. Node announces some of them by `close` alone, so that is what counts.
 */
export class PendingTunnel {
  readonly session: PooledSession
  readonly #request: ConnectRequest
  readonly #settled: PendingOptions['settled']
  readonly #early: EarlyData | undefined
  readonly #stream: ClientHttp2Stream | undefined
  readonly #heardBytes: number
  readonly #stopEviction: () => void = () => {}
  #error: NodeJS.ErrnoException | undefined
  #interim = 0
  #isSettled = false

  /** Takes over a slot of the session. */
  constructor(session: PooledSession, request: ConnectRequest, { settled, early }: PendingOptions) {
    this.session = session
    this.#request = request
    this.#settled = settled
    this.#early = early
    this.#heardBytes = session.heardBytes
    const stream = session.request(connectFields(request))
    if (stream === undefined) {
      queueMicrotask(() => this.#settle({ kind: 'evicted' }))
      return
    }
    this.#stream = stream
    stream.on('error', this.#onError)
    stream.on('headers', this.#onInterim)
    stream.on('response', this.#onResponse)
    stream.on('close', this.#onClose)
    resetWithoutEnd(stream)
    early?.start(stream)
    this.#stopEviction = session.onEviction(() => {
      if (early?.hasSent === true) return
      this.#settle({ kind: 'evicted' })
      this.cancel()
    })
  }

  /** Of its stream; 0: it has none. */
  get streamId(): number {
    return this.#stream?.id ?? 0
  }

  /** Gives up: the stream is reset, and nothing is told any more. */
  cancel(): void {
    this.#isSettled = true
    this.#release()
    this.#stream?.close(constants.NGHTTP2_CANCEL)
  }

  readonly #onError = (error: Error): void => {
    this.#error ??= error
  }

  readonly #onInterim = (): void => {
    if (++this.#interim <= MAX_INTERIM_RESPONSES) return
    const { server } = this.#request
    const message = `Server ${server} sent more than ${MAX_INTERIM_RESPONSES} interim answers`
    this.#settle({ kind: 'failed', error: new ProxyError('LIMIT', message, { phase: 'connect', server }), isAnswer: true })
    this.cancel()
  }

  readonly #onResponse = (headers: IncomingHttpHeaders): void => {
    const stream = this.#stream
    if (stream === undefined || this.#isSettled) return
    const status = Number(headers[':status'])
    const isOpen = status >= 200 && status <= 299
    this.session.countAnswer(stream, isOpen)
    if (isOpen) {
      openTunnel(stream, this.session, this.#request.server)
      stream.off('error', this.#onError)
      this.#settle({ kind: 'open', connection: stream })
      return
    }
    const { server, credentials } = this.#request
    const error = refusalOf({ status, reason: '', fields: fieldsOf(headers) }, server, credentials !== undefined)
    this.#settle({ kind: 'failed', error, isAnswer: true })
    this.cancel()
  }

  readonly #onClose = (): void => {
    const loss = this.session.loss(this.#error)
    if (loss !== undefined) {
      this.#settle({ kind: 'failed', error: loss.error, isAnswer: false })
    } else if (this.#isUnsent) {
      this.session.drain()
      this.#settle({ kind: 'evicted' })
    } else {
      const rstCode = this.#rstCode
      const error = resetError(rstCode, this.#request.server)
      this.#settle({ kind: 'failed', error, isAnswer: rstCode === constants.NGHTTP2_CONNECT_ERROR, rstCode })
    }
  }

  get #rstCode(): number {
    return this.#stream?.rstCode ?? constants.NGHTTP2_NO_ERROR
  }

  /**
   * Node refused the request itself. So it does once it has found a fault in what the server sent: it says GOAWAY and nothing to us,
   * and reads no more.
   */
  get #isUnsent(): boolean {
    if (UNSENT.has(this.#error?.code)) return true
    return this.#rstCode === constants.NGHTTP2_REFUSED_STREAM && this.session.heardBytes === this.#heardBytes
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
    if (this.#stream !== undefined) this.#early?.stop(this.#stream)
    this.#stream?.off('headers', this.#onInterim)
    this.#stream?.off('response', this.#onResponse)
    this.#stream?.off('close', this.#onClose)
  }
}

/** Readies the stream for whoever takes it. From here on, nothing of the request is held by it. */
function openTunnel(stream: ClientHttp2Stream, session: PooledSession, server: string): void {
  // Whose fault nobody listens to yet must not end the process.
  stream.on('error', () => {})
  tellCuts(stream, {
    lost: () => session.loss()?.cut,
    reset: () => {
      const message = `The tunnel was cut: server ${server} reset the stream (${codeName(stream.rstCode ?? constants.NGHTTP2_NO_ERROR)})`
      return new ProxyError('ABORT', message, { phase: 'relay', server })
    },
  })
}

function fieldsOf(headers: IncomingHttpHeaders): Map<string, string[]> {
  const entries = Object.entries(headers).filter(([name, value]) => !name.startsWith(':') && value !== undefined)
  return new Map(entries.map(([name, value]) => [name, Array.isArray(value) ? value : [String(value)]]))
}
