import type { Writable } from 'node:stream'
import { bulkBuffers, type Borrower } from './buffer-pool.js'
import type { FlowOwner } from './flow-owner.js'

let collecting: TurnCollector[] = []

function endTurn(): void {
  const collectors = collecting
  collecting = []
  for (const collector of collectors) collector.endTurn()
}

/**
 * Puts what comes within one turn of the event loop side by side, and writes it in one piece: TLS and HTTP/2 yield 16 KiB at a time.
 *
 * A buffer is on loan until the turn ends; where the sink does not take all at once, until it did.
 */
export class TurnCollector implements Borrower {
  readonly #sink: Writable
  readonly #owner: FlowOwner
  #buffer: Buffer | undefined
  #usedBytes = 0
  #queued = false
  #waiting = false
  /** Buffers that the sink has not taken all of. */
  #leaving: Buffer[] = []

  constructor(sink: Writable, owner: FlowOwner) {
    this.#sink = sink
    this.#owner = owner
  }

  /** How many bytes wait for the end of the turn. */
  get usedBytes(): number {
    return this.#usedBytes
  }

  /** Takes a copy of the chunk. @returns `false` if there is no room: then what came before has been written. */
  push(chunk: Buffer): boolean {
    if (chunk.length > bulkBuffers.bufferBytes - this.#usedBytes) this.flush()
    this.#buffer ??= bulkBuffers.take(this)
    if (this.#buffer === undefined || chunk.length > this.#buffer.length) return false
    chunk.copy(this.#buffer, this.#usedBytes)
    this.#usedBytes += chunk.length
    if (!this.#queued) {
      this.#queued = true
      if (collecting.push(this) === 1) setImmediate(endTurn)
    }
    return true
  }

  flush(): void {
    const buffer = this.#buffer
    if (buffer === undefined || this.#usedBytes === 0) return
    const bytes = this.#usedBytes
    this.#usedBytes = 0
    this.#buffer = undefined
    this.#sink.write(bytes === buffer.length ? buffer : buffer.subarray(0, bytes), this.#onWritten)
    if (this.#sink.writableLength === 0) {
      this.#buffer = buffer
      return
    }
    this.#leaving.push(buffer)
    this.#waiting = true
    this.#owner.hold()
  }

  /** Only for this module. */
  endTurn(): void {
    this.#queued = false
    this.flush()
    this.#giveBack()
  }

  /** It keeps none that is not used. */
  giveBackUnlessUsedSince(): void {}

  /** Lets go of all that was not written. */
  close(): void {
    this.#usedBytes = 0
    this.#giveBack()
    for (; this.#leaving.length > 0; this.#leaving.pop()) bulkBuffers.lose(this)
  }

  #giveBack(): void {
    if (this.#buffer === undefined) return
    bulkBuffers.give(this, this.#buffer)
    this.#buffer = undefined
  }

  readonly #onWritten = (): void => {
    if (!this.#waiting || this.#sink.writableLength > 0) return
    this.#waiting = false
    for (const buffer of this.#leaving) bulkBuffers.give(this, buffer)
    this.#leaving = []
    this.#owner.taken()
  }
}
