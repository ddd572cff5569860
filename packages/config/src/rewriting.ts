import { fault, formatPath, parsePath, type Draft, type Fault, type PathSegment, type Severity } from '@sluice/core'

export type Loose = Record<string, unknown>
export type At = readonly PathSegment[]

/** A config on its way to the canonical form: the draft, and what there is to say about it, by the places of the original. */
export class Rewriting {
  readonly draft: Draft
  readonly remarks: Fault[] = []

  constructor(draft: Draft) {
    this.draft = draft
  }

  /** Speaks of the place where what is now at `at` was written. */
  say(at: At, message: string, severity: Severity, hint?: string): void {
    this.remarks.push(fault(this.draft.originOf(at), message, { severity, ...(hint === undefined ? {} : { hint }) }))
  }

  /** Passes remarks on, whose places are those of the draft. */
  pass(remarks: readonly Fault[]): void {
    this.remarks.push(...remarks.map((item) => ({ ...item, path: formatPath(this.draft.originOf(parsePath(item.path))) })))
  }

  /** Takes a key out and says why, unless nothing is to be said. */
  ignore(object: Loose, key: string, at: At, reason?: string): void {
    if (!(key in object)) return
    if (reason !== undefined) this.say([...at, key], `is ignored: ${reason}`, 'warning')
    delete object[key]
  }

  /** Gives a key its present name; where that stands beside it, both stay for the check. */
  rename(object: Loose, from: string, to: string, at: At): void {
    if (!(from in object) || to in object) return
    this.say([...at, from], `is read as "${to}"`, 'notice')
    this.draft.rename(object, from, to)
  }
}

export function isObject(value: unknown): value is Loose {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The objects of a list, each with its index. */
export function objectsOf(list: unknown): (readonly [index: number, item: Loose])[] {
  return Array.isArray(list) ? [...list.entries()].filter((entry): entry is [number, Loose] => isObject(entry[1])) : []
}
