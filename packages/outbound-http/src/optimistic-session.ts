import { ProxyError, type Context, type Link } from '@sluice/core'

/**
 * A session whose client is told that its tunnel is open before it is. Nobody else watches such a client any more until bytes
 * move, so its leaving is made to abort the signal that the attempts wait on.
 */
export class OptimisticSession implements Disposable {
  readonly ctx: Context
  readonly #link: Link
  readonly #session: Context
  readonly #controller = new AbortController()

  constructor(session: Context, link: Link) {
    this.#session = session
    this.#link = link
    this.ctx = { ...session, record: session.record, signal: this.#controller.signal }
    link.open()
    session.signal.addEventListener('abort', this.#onAbort)
    link.reader.on('close', this.#onLeft)
    if (session.signal.aborted) this.#onAbort()
    else if (link.reader.destroyed) this.#onLeft()
  }

  /** Tells the client what it was told too early: by a reset, for there is no other way left. */
  fail(error: unknown): void {
    this.#link.abort(error as Error)
  }

  [Symbol.dispose](): void {
    this.#session.signal.removeEventListener('abort', this.#onAbort)
    this.#link.reader.off('close', this.#onLeft)
  }

  readonly #onAbort = (): void => this.#controller.abort(this.#session.signal.reason)

  readonly #onLeft = (): void => {
    this.#controller.abort(new ProxyError('ABORT', 'The client left before the tunnel opened', { side: 'downstream', phase: 'connect' }))
  }
}
