import type { Socket } from 'node:net'
import type { Writable } from 'node:stream'
import { bulkBuffers, type Borrower } from './buffer-pool.js'
import type { FlowOwner } from './flow-owner.js'
import { isTcpSocket } from './tcp-socket.js'
import { readAway, readInto, SHARED_BUFFER, type BufferReader } from './user-buffer.js'

/** A read of as much shows that a direction moves much. */
export const BULK_READ_BYTES = 64 << 10
/** A sink that never takes all at once is given the next read meanwhile. More would be unfair to a source with a small TCP window. */
const SLOTS = 2

/**
 * Moves the bytes of a TCP socket by large reads into a buffer that is used again and again.
 *
 * It has a buffer of its own only while some reads are large, and copies small ones out of one that all share. What was read may be
 * overwritten once the sink has taken it: a TCP socket mostly does so at once; with any other sink half of the buffer waits while
 * the other half is read into.
 */
export class BulkFlow implements BufferReader, Borrower {
  readonly #source: Socket
  readonly #sink: Writable
  readonly #owner: FlowOwner
  readonly #isPrompt: boolean
  readonly #slotBytes: number
  /** Its own, as long as reads are large. */
  #buffer: Buffer | undefined
  /** When a read was large. */
  #bulkAt: number
  #slot = 0
  /** Writes out of the buffer that the sink has not taken: the buffer must stay as it is. */
  #leaving = 0
  #discarding = false
  #closed = false

  constructor(source: Socket, sink: Writable, owner: FlowOwner) {
    this.#source = source
    this.#sink = sink
    this.#owner = owner
    this.#bulkAt = owner.movedAt
    this.#isPrompt = isTcpSocket(sink)
    this.#slotBytes = this.#isPrompt ? bulkBuffers.bufferBytes : BULK_READ_BYTES
  }

  /** @param isBulk Whether reads are large already. @returns `false` if this source cannot be read so. */
  start(isBulk: boolean): boolean {
    if (isBulk) this.#buffer = bulkBuffers.take(this)
    const started = readInto(this.#source, this.nextBuffer(), this)
    if (!started) this.#giveBack()
    return started
  }

  onRead(bytes: number): void {
    if (this.#discarding) return this.#owner.lost(bytes)
    const mayGoOn = this.#owner.moved(bytes)
    this.#write(bytes)
    // The write may have ended all.
    if (this.#closed) return
    if (!mayGoOn) this.#owner.park()
    if (bytes < BULK_READ_BYTES) return
    this.#buffer ??= bulkBuffers.take(this)
    this.#bulkAt = this.#owner.movedAt
  }

  nextBuffer(): Buffer {
    const buffer = this.#buffer
    if (buffer === undefined) return SHARED_BUFFER
    return this.#isPrompt ? buffer : buffer.subarray(this.#slot * this.#slotBytes, (this.#slot + 1) * this.#slotBytes)
  }

  giveBackUnlessUsedSince(sinceMs: number): void {
    if (this.#leaving > 0 || this.#bulkAt >= sinceMs) return
    readInto(this.#source, SHARED_BUFFER, this)
    this.#giveBack()
  }

  /** From now on all that comes is thrown away. */
  discard(): void {
    this.#discarding = true
    readInto(this.#source, SHARED_BUFFER, this)
    this.#giveBack()
  }

  /** Lets go of the buffer, and of what the source still yields. */
  close(): void {
    if (this.#closed) return
    this.#closed = true
    readAway(this.#source)
    this.#giveBack()
  }

  #write(bytes: number): void {
    const buffer = this.#buffer
    if (buffer === undefined) {
      if (!this.#sink.write(Buffer.from(SHARED_BUFFER.subarray(0, bytes))) && this.#sink.writableLength > 0) this.#owner.hold()
      return
    }
    const start = this.#slot * this.#slotBytes
    const view = buffer.subarray(start, start + bytes)
    if (this.#isPrompt) {
      this.#sink.write(view, this.#onAllTaken)
      if (this.#sink.writableLength === 0) return
      this.#leaving = 1
      return this.#owner.hold()
    }
    this.#slot = (this.#slot + 1) % SLOTS
    this.#leaving++
    this.#sink.write(view, this.#onSlotTaken)
    if (this.#leaving === SLOTS) this.#owner.hold()
  }

  #giveBack(): void {
    const buffer = this.#buffer
    if (buffer === undefined) return
    this.#buffer = undefined
    if (this.#leaving > 0) bulkBuffers.lose(this)
    else bulkBuffers.give(this, buffer)
  }

  readonly #onAllTaken = (): void => {
    if (this.#leaving === 0 || this.#sink.writableLength > 0) return
    this.#leaving = 0
    if (!this.#closed) this.#owner.taken()
  }

  readonly #onSlotTaken = (): void => {
    this.#leaving--
    if (!this.#closed) this.#owner.taken()
  }
}
