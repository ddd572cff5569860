/** A value of a condition that cannot be used, and why; reads on after the value itself. */
export class BadPattern extends Error {
  /** What to do about it. */
  readonly hint: string | undefined

  constructor(message: string, hint?: string) {
    super(message)
    this.hint = hint
  }
}
