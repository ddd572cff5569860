import type { Counter } from '@sluice/core'

/** A sum of what is settled and of sources that still count. Sources are read when somebody asks, so that counting costs nothing. */
export class TrafficCounter implements Counter {
  #settled = 0
  readonly #sources = new Set<() => number>()

  get value(): number {
    let sum = this.#settled
    for (const read of this.#sources) sum += read()
    return sum
  }

  add(bytes: number): void {
    this.#settled += bytes
  }

  attach(read: () => number): () => void {
    // A source of its own each time: the same function may be attached twice.
    const source = (): number => read()
    this.#sources.add(source)
    return () => {
      if (this.#sources.delete(source)) this.#settled += source()
    }
  }
}
