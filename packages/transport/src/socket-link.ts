import type { Readable, Writable } from 'node:stream'
import type { Connection, Link, RequestForm } from '@sluice/core'
import { abort } from './abort.js'
import { ignoreErrors } from './ignore-errors.js'

/**
 * The link of an inbound whose session is the client's connection itself: reader and writer are the bare connection.
 *
 * From its construction on the connection fills up to its high-water mark, so that a client's reset is seen while nobody reads.
 */
export class SocketLink implements Link {
  readonly reader: Readable
  readonly writer: Writable
  readonly #connection: Connection
  readonly #onOpen: (how?: RequestForm) => void
  #opened = false

  /** @param onOpen Tells the client that the target is reached; called at most once. */
  constructor(connection: Connection, onOpen: (how?: RequestForm) => void) {
    this.reader = connection
    this.writer = connection
    this.#connection = connection
    this.#onOpen = onOpen
    ignoreErrors(connection)
    connection.read(0)
  }

  get opened(): boolean {
    return this.#opened
  }

  open(how?: RequestForm): void {
    if (this.#opened) return
    this.#opened = true
    this.#onOpen(how)
  }

  abort(error: Error): void {
    abort(this.#connection, error)
  }
}
