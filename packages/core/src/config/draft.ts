import type { PathSegment } from './config-path.js'

type At = readonly PathSegment[]
type Container = Record<PathSegment, unknown>

/**
 * A copy of a config that may be rewritten, and that knows of each part where it stood before, so that a fault of what was moved
 * or renamed still points to what was written. What was given stays as it is.
 *
 * Objects and lists are known wherever they are put; other values only if `rename`, `move` or `replace` put them there.
 */
export class Draft {
  root: unknown
  readonly #homes = new WeakMap<object, At>()
  readonly #moved = new WeakMap<object, Map<PathSegment, At>>()

  constructor(value: unknown) {
    this.root = this.#copy(value, [], new Map())
  }

  /** Gives a property another name. */
  rename(object: object, from: string, to: string): void {
    this.move(object, from, object, to)
  }

  /** Takes a property out of an object and puts it into another one. */
  move(object: object, from: string, into: object, to: string): void {
    const value = (object as Container)[from]
    this.#note(into, to, this.#origin(object, from))
    Reflect.deleteProperty(object, from)
    define(into, to, value)
  }

  /** Puts a value in place of another; faults of it point to the one before. */
  replace(object: object, key: PathSegment, value: unknown): void {
    this.#note(object, key, this.#origin(object, key))
    ;(object as Container)[key] = value
  }

  /** Where what now stands at `at` stood before, or would have stood. */
  originOf(at: At): At {
    let value = this.root
    let origin: At = this.#homes.get(value as object) ?? []
    for (const [depth, segment] of at.entries()) {
      if (!isContainer(value)) return [...origin, ...at.slice(depth)]
      const moved = this.#moved.get(value)?.get(segment)
      const child: unknown = Object.hasOwn(value, segment) ? (value as Container)[segment] : undefined
      // What was made anew stands where the thing stood that it was made from.
      if (moved !== undefined) origin = moved
      else if (isContainer(child)) origin = this.#homes.get(child) ?? origin
      else origin = [...origin, segment]
      value = child
    }
    return origin
  }

  #origin(object: object, key: PathSegment): At {
    return this.#moved.get(object)?.get(key) ?? [...this.#homes.get(object) ?? [], key]
  }

  #note(object: object, key: PathSegment, origin: At): void {
    const moved = this.#moved.get(object) ?? new Map<PathSegment, At>()
    this.#moved.set(object, moved.set(key, origin))
  }

  /** Plain objects and lists are copied, each place apart; anything else is taken as it is. */
  #copy(value: unknown, at: At, above: Map<object, object>): unknown {
    if (!isContainer(value)) return value
    const known = above.get(value)
    if (known !== undefined) return known
    const copy: object = Array.isArray(value) ? [] : {}
    above.set(value, copy)
    this.#homes.set(copy, at)
    for (const [key, inner] of Object.entries(value)) {
      const segment = Array.isArray(value) ? Number(key) : key
      define(copy, segment, this.#copy(inner, [...at, segment], above))
    }
    above.delete(value)
    return copy
  }
}

/** Not an assignment, which would take a key __proto__ from outside for the prototype. */
function define(object: object, key: PathSegment, value: unknown): void {
  Object.defineProperty(object, key, { value, writable: true, enumerable: true, configurable: true })
}

function isContainer(value: unknown): value is object {
  if (typeof value !== 'object' || value === null) return false
  if (Array.isArray(value)) return true
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === null || prototype === Object.prototype
}
