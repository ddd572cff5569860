const QUIET_MS = 1_000

/** Who has a buffer on loan. Asked once a second whether it still needs it. */
export interface Borrower {
  /** Gives its buffer back unless it was used since this moment, by `performance.now()`. */
  giveBackUnlessUsedSince(sinceMs: number): void
}

/**
 * Large buffers for those who move much: lent, given back, and lent to the next. There are at most so many of them, and those that
 * nobody needed for a second or two are let go.
 *
 * A buffer may be given back only once the kernel has taken all that was written from it.
 */
export class BufferPool {
  readonly bufferBytes: number
  readonly #max: number
  readonly #borrowers = new Map<Borrower, number>()
  #free: Buffer[] = []
  #lent = 0
  #isTidying = false

  constructor(bufferBytes: number, max: number) {
    this.bufferBytes = bufferBytes
    this.#max = max
  }

  /** How many buffers are on loan. */
  get lent(): number {
    return this.#lent
  }

  /** @returns `undefined` if all buffers are on loan. */
  take(borrower: Borrower): Buffer | undefined {
    if (this.#lent === this.#max) return undefined
    this.#lent++
    this.#borrowers.set(borrower, (this.#borrowers.get(borrower) ?? 0) + 1)
    if (!this.#isTidying) this.#tidyLater()
    return this.#free.pop() ?? Buffer.allocUnsafeSlow(this.bufferBytes)
  }

  give(borrower: Borrower, buffer: Buffer): void {
    this.#free.push(buffer)
    this.lose(borrower)
  }

  /** The loan is over, but the buffer may not be lent again: the kernel may still read it. */
  lose(borrower: Borrower): void {
    this.#lent--
    const left = (this.#borrowers.get(borrower) ?? 1) - 1
    if (left === 0) this.#borrowers.delete(borrower)
    else this.#borrowers.set(borrower, left)
  }

  readonly #tidy = (): void => {
    const since = performance.now() - QUIET_MS
    for (const borrower of [...this.#borrowers.keys()]) borrower.giveBackUnlessUsedSince(since)
    // One half a second: a short pause of a busy process costs it little.
    this.#free.length >>= 1
    this.#isTidying = this.#lent > 0 || this.#free.length > 0
    if (this.#isTidying) this.#tidyLater()
  }

  #tidyLater(): void {
    this.#isTidying = true
    setTimeout(this.#tidy, QUIET_MS).unref()
  }
}

/** What the bulk directions of this process share: 64 × 256 KiB at most. */
export const bulkBuffers = new BufferPool(256 << 10, 64)
