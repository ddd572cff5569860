import type { Readable, Writable } from 'node:stream'
import type { HttpRequestHead, Link, RequestForm } from '../contracts/link.js'
import { ProxyError } from '../errors/proxy-error.js'
import type { InstanceEvents } from '../events.js'
import type { Session } from './session.js'

/**
 * The inbound's link as the outbound gets it: the same streams, with the moment of opening noted, and the session cancelled when
 * the client goes away before it.
 */
export class SessionLink implements Link {
  readonly reader: Readable
  readonly writer: Writable
  readonly http?: HttpRequestHead
  readonly #link: Link
  readonly #session: Session
  readonly #events: InstanceEvents
  #opened = false

  constructor(link: Link, session: Session, events: InstanceEvents) {
    this.reader = link.reader
    this.writer = link.writer
    if (link.http !== undefined) this.http = link.http
    this.#link = link
    this.#session = session
    this.#events = events
    if (link.reader.destroyed) this.#clientGone()
    else link.reader.on('close', this.#clientGone)
  }

  get opened(): boolean {
    return this.#opened
  }

  /** Whether the client was told that its target is reached, be it so or not. */
  get answered(): boolean {
    return this.#link.opened
  }

  /** Tells the client before it is so, for it to send what is sniffed. What fails afterwards can only be shown by a cut. */
  answerEarly(): void {
    this.#link.open()
  }

  open(how?: RequestForm): void {
    if (this.#opened) return
    this.#opened = true
    this.release()
    this.#session.record.establishedMs = this.#session.elapsedMs
    this.#link.open(how)
    this.#events.emit('session:established', this.#session)
  }

  abort(error: Error): void {
    this.release()
    this.#link.abort(error)
  }

  /** Stops watching the client. */
  release(): void {
    this.reader.off('close', this.#clientGone)
  }

  readonly #clientGone = (): void => {
    this.#session.cancel(new ProxyError('ABORT', 'The client left before the tunnel opened', { side: 'downstream', phase: 'connect' }))
  }
}
