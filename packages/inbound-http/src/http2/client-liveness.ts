import type { ServerHttp2Session } from 'node:http2'
import type { Connection } from '@sluice/core'
import { deadline } from '@sluice/transport'

/**
 * Finds out that a client is gone without a word: any byte is a sign of life, and after a silence it is asked for one by PING
 * (RFC 9113 §6.7).
 *
 * Node 20 needs it for another reason, too. After some faults in what a client sent it says GOAWAY, reads no more and tells nobody, so
 * that not even the end of the connection is ever seen.
 */
export class ClientLiveness {
  readonly #session: ServerHttp2Session
  readonly #connection: Connection & { readonly bytesRead?: number }
  readonly #silenceMs: number
  readonly #died: () => void
  #seenBytes = 0
  #isAsked = false
  #cancel: () => void
  #lastLook: NodeJS.Immediate | undefined

  /** @param died Called once, after two silences in a row; what it finds is not watched any more. */
  constructor(session: ServerHttp2Session, connection: Connection, silenceMs: number, died: () => void) {
    this.#session = session
    this.#connection = connection
    this.#silenceMs = silenceMs
    this.#died = died
    this.#cancel = deadline(silenceMs, this.#look)
  }

  stop(): void {
    this.#cancel()
    clearImmediate(this.#lastLook)
  }

  readonly #look = (): void => {
    // After a stall of the event loop timers come first. What waits in the socket since then has had its turn in the next one.
    if (this.#isSilent && this.#isAsked) this.#lastLook = setImmediate(this.#lookAgain)
    else this.#goOn()
  }

  readonly #lookAgain = (): void => {
    if (this.#isSilent) this.#died()
    else this.#goOn()
  }

  get #isSilent(): boolean {
    return this.#connection.bytesRead === this.#seenBytes
  }

  #goOn(): void {
    this.#isAsked = this.#isSilent
    this.#seenBytes = this.#connection.bytesRead ?? 0
    if (this.#isAsked && !this.#session.destroyed) this.#session.ping(heard)
    this.#cancel = deadline(this.#silenceMs, this.#look)
  }
}

/** The answer was counted with all other bytes. */
function heard(): void {}
