/** Something with a beginning and an end of its own. */
export interface Stage {
  start?(): void | Promise<void>
  close?(): void | Promise<void>
}

/** Starts stages in order and closes them in reverse; whatever fails to start leaves nothing behind. */
export class Lifecycle {
  readonly #started: Stage[] = []
  #begun = false

  /** @throws the error of the stage that failed, after all that had started were closed. */
  async start(stages: readonly Stage[]): Promise<void> {
    if (this.#begun) throw new Error('Cannot start an instance twice: create another')
    this.#begun = true
    try {
      for (const stage of stages) {
        this.#started.push(stage)
        await stage.start?.()
      }
    } catch (error) {
      // What failed to start is asked to close as well: it may have got half way.
      await this.stop()
      throw error
    }
  }

  /** Closes all that had started. One that fails to close does not keep the others open; the first error is thrown at the end. */
  async stop(): Promise<void> {
    this.#begun = true
    const errors: unknown[] = []
    for (let stage = this.#started.pop(); stage !== undefined; stage = this.#started.pop()) {
      try {
        await stage.close?.()
      } catch (error) {
        errors.push(error)
      }
    }
    if (errors.length > 0) throw errors[0]
  }
}
