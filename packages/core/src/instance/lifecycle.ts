/** Something with a beginning and an end of its own. */
export interface Stage {
  start?(): void | Promise<void>
  close?(): void | Promise<void>
}

/** Starts stages in order and closes them in reverse; whatever fails to start leaves nothing behind. */
export class Lifecycle {
  readonly #started: Stage[] = []
  #starting: Promise<void> | undefined
  #halted = false

  /** @throws the error of the stage that failed, after all that had started were closed. */
  async start(stages: readonly Stage[]): Promise<void> {
    if (this.#starting !== undefined || this.#halted) throw new Error('Cannot start an instance twice: create another')
    this.#starting = this.#startAll(stages)
    await this.#starting
  }

  /** No further stage starts. Resolves when a start that is under way has been undone. */
  async halt(): Promise<void> {
    this.#halted = true
    try {
      await this.#starting
    } catch {
      // Whoever called start() was told.
    }
  }

  /** Closes all that had started. One that fails to close does not keep the others open; the first error is thrown at the end. */
  async stop(): Promise<void> {
    await this.halt()
    const errors = await this.#closeAll()
    if (errors.length > 0) throw errors[0]
  }

  async #startAll(stages: readonly Stage[]): Promise<void> {
    try {
      for (const stage of stages) {
        this.#started.push(stage)
        await stage.start?.()
        if (this.#halted) throw new Error('Cannot go on with the start: the instance was stopped meanwhile')
      }
    } catch (error) {
      // What failed to start is asked to close as well: it may have got half way. What fails to close is not why the start failed.
      await this.#closeAll()
      throw error
    }
  }

  async #closeAll(): Promise<unknown[]> {
    const errors: unknown[] = []
    for (let stage = this.#started.pop(); stage !== undefined; stage = this.#started.pop()) {
      try {
        await stage.close?.()
      } catch (error) {
        errors.push(error)
      }
    }
    return errors
  }
}
