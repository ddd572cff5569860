/** Stands for what is not told apart any more. */
export const OTHER = 'other'

/**
 * Keeps a label of metrics within a number of values, whatever configs and hooks name: each value costs a time series for ever.
 * Those that come later are `other`.
 */
export class LabelValues {
  readonly #max: number
  readonly #known = new Set<string>()

  constructor(max = 200) {
    this.#max = max
  }

  of(value = ''): string {
    if (this.#known.has(value)) return value
    if (this.#known.size >= this.#max) return OTHER
    this.#known.add(value)
    return value
  }
}
