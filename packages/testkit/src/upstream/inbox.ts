import { printable } from '@sluice/core'

/** What a test waits for among the bytes that came: how many it takes of those not yet taken; `undefined`: not yet. It throws to refuse. */
export type Matcher = (available: number, unread: () => Buffer) => number | undefined

/** All bytes that one end of a connection received, and a reader's place in them. */
export class Inbox {
  #chunks: Buffer[] = []
  #length = 0
  #taken = 0
  #ending: string | undefined
  readonly #waiting = new Set<() => void>()

  /** Everything that came, also what was taken. */
  get bytes(): Buffer {
    if (this.#chunks.length > 1) this.#chunks = [Buffer.concat(this.#chunks)]
    return this.#chunks[0] ?? Buffer.alloc(0)
  }

  get length(): number {
    return this.#length
  }

  get unread(): Buffer {
    return this.bytes.subarray(this.#taken)
  }

  push(chunk: Buffer): void {
    this.#chunks.push(chunk)
    this.#length += chunk.length
    this.#changed()
  }

  /** No more bytes will come. @param how `the peer ended`, `the peer reset` … */
  finish(how: string): void {
    this.#ending ??= how
    this.#changed()
  }

  /**
   * Takes what the matcher wants, as soon as it is there.
   * @throws {Error} when the matcher refuses, the bytes end before, or the time is up.
   */
  take(what: string, ms: number, match: Matcher): Promise<Buffer> {
    return this.#until(`expect ${what}`, ms, () => {
      const bytes = match(this.#length - this.#taken, () => this.unread)
      if (bytes === undefined) {
        if (this.#ending === undefined) return undefined
        throw new Error(`Cannot expect ${what}: ${this.#ending} after ${quote(this.unread)}`)
      }
      const taken = this.unread.subarray(0, bytes)
      this.#taken += bytes
      return taken
    })
  }

  /** Waits for the end of the bytes. @returns How they ended. */
  ending(ms: number): Promise<string> {
    return this.#until('expect the end', ms, () => this.#ending)
  }

  #until<T>(what: string, ms: number, test: () => T | undefined): Promise<T> {
    return new Promise((resolve, reject) => {
      const done = (): void => {
        this.#waiting.delete(look)
        clearTimeout(timer)
      }
      const look = (): void => {
        try {
          const result = test()
          if (result === undefined) return
          done()
          resolve(result)
        } catch (error) {
          done()
          reject(error)
        }
      }
      const timer = setTimeout(() => {
        done()
        reject(new Error(`Cannot ${what} within ${ms} ms: got ${quote(this.unread)}`))
      }, ms)
      this.#waiting.add(look)
      look()
    })
  }

  #changed(): void {
    for (const look of this.#waiting) look()
  }
}

const QUOTED_BYTES = 100

/** Bytes as a message shows them: text as text, others as hexadecimal digits; the first 100, and how many there are. */
export function quote(bytes: Uint8Array): string {
  const start = Buffer.from(bytes.subarray(0, QUOTED_BYTES))
  const text = start.toString('latin1').replaceAll('\r\n', '⏎')
  const quoted = printable(text) === text && start.every((byte) => byte < 0x80) ? JSON.stringify(text) : `<${start.toString('hex')}>`
  return bytes.length > QUOTED_BYTES ? `${quoted}… (${bytes.length} bytes)` : quoted
}
