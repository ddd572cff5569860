import type { TLSSocket } from 'node:tls'
import type { FlowOwner } from './flow-owner.js'
import { readAway, readInto, SHARED_BUFFER, type BufferReader } from './user-buffer.js'

/** Reads the records of a TLS socket without memory of their own: each is handed on, and must be copied or be with the kernel then. */
export class RecordFlow implements BufferReader {
  readonly #source: TLSSocket
  readonly #onRecord: (record: Buffer) => void
  readonly #owner: FlowOwner
  #discarding = false
  #closed = false

  /** Begins at once; where this Node cannot do it, `data` events go on. */
  constructor(source: TLSSocket, onRecord: (record: Buffer) => void, owner: FlowOwner) {
    this.#source = source
    this.#onRecord = onRecord
    this.#owner = owner
    readInto(source, SHARED_BUFFER, this)
  }

  onRead(bytes: number): void {
    if (this.#discarding) this.#owner.lost(bytes)
    else this.#onRecord(SHARED_BUFFER.subarray(0, bytes))
  }

  nextBuffer(): Buffer {
    return SHARED_BUFFER
  }

  discard(): void {
    this.#discarding = true
  }

  /** What still comes is thrown away. */
  close(): void {
    if (this.#closed) return
    this.#closed = true
    readAway(this.#source)
  }
}
