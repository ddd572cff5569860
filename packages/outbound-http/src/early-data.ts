import type { Readable, Writable } from 'node:stream'
import type { SessionRecord } from '@sluice/core'

/**
 * The payload of one session that goes with its request, before the answer. As soon as some has left, that request is the only one
 * that can carry the session: nothing is kept to be sent again.
 *
 * The client's end is not passed on here; whoever relays the tunnel finds it.
 */
export class EarlyData {
  readonly #reader: Readable
  readonly #record: SessionRecord
  #sink: Writable | undefined
  #isForgone = false
  #hasSent = false

  /** @param record Counts what leaves, as `relay` does later. */
  constructor(reader: Readable, record: SessionRecord) {
    this.#reader = reader
    this.#record = record
  }

  /** Whether payload has left. */
  get hasSent(): boolean {
    return this.#hasSent
  }

  /** Payload waits for an answer, for the session is asked for twice at once. Without effect once some has left. */
  forgo(): void {
    if (this.#hasSent) return
    this.#isForgone = true
    if (this.#sink !== undefined) this.stop(this.#sink)
  }

  /** Sends what the client sends in that stream, no faster than it takes it, until `stop`. */
  start(sink: Writable): void {
    if (this.#isForgone || this.#hasSent || this.#sink !== undefined) return
    this.#sink = sink
    this.#reader.on('data', this.#onData)
    sink.on('drain', this.#onDrain)
    this.#reader.resume()
  }

  /** Lets what comes wait, if it went to that stream. */
  stop(sink: Writable): void {
    if (sink !== this.#sink) return
    this.#sink = undefined
    this.#reader.off('data', this.#onData).pause()
    sink.off('drain', this.#onDrain)
  }

  readonly #onData = (chunk: Buffer): void => {
    this.#hasSent = true
    this.#record.uplinkBytes += chunk.length
    if (this.#sink?.write(chunk) === false) this.#reader.pause()
  }

  readonly #onDrain = (): void => void this.#reader.resume()
}
