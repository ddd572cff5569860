/** A place in a text as people count it: from 1, in UTF-16 units as editors do. */
export interface Position {
  readonly line: number
  readonly column: number
}

/** Finds lines in a text. They end with LF, CR LF or CR. */
export class LineMap {
  readonly #starts: readonly number[]

  constructor(text: string) {
    this.#starts = [0, ...[...text.matchAll(/\r\n|\r|\n/g)].map(({ index, 0: lineEnd }) => index + lineEnd.length)]
  }

  positionAt(offset: number): Position {
    let low = 0
    let high = this.#starts.length
    while (high - low > 1) {
      const middle = (low + high) >> 1
      if (this.#startOf(middle) <= offset) low = middle
      else high = middle
    }
    return { line: low + 1, column: offset - this.#startOf(low) + 1 }
  }

  #startOf(index: number): number {
    return this.#starts[index] ?? Number.POSITIVE_INFINITY
  }
}
