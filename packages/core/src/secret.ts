import { inspect } from 'node:util'

const MASK = '***'

/**
 * A value that must not show: printed, inspected, serialised or put into a template it is `***`. Only `reveal()` tells it, and
 * is called where it goes on the wire.
 */
export class Secret {
  readonly #value: string

  constructor(value: string) {
    this.#value = value
  }

  reveal(): string {
    return this.#value
  }

  toString(): string {
    return MASK
  }

  toJSON(): string {
    return MASK
  }

  [inspect.custom](): string {
    return MASK
  }
}
