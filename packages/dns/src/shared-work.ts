interface Work<T> {
  readonly result: Promise<T>
  readonly controller: AbortController
  waiting: number
}

/** Does the same thing once for all who want it at the same time. It is broken off when the last of them has left. */
export class SharedWork<T> {
  readonly #running = new Map<string, Work<T>>()

  /** @throws `signal.reason` as it is, as soon as this one no longer waits. */
  async run(key: string, start: (signal: AbortSignal) => Promise<T>, signal: AbortSignal): Promise<T> {
    signal.throwIfAborted()
    const work = this.#running.get(key) ?? this.#start(key, start)
    work.waiting++
    let leave = (): void => {}
    const gone = new Promise<never>((_, reject) => {
      leave = () => reject(signal.reason as Error)
      signal.addEventListener('abort', leave)
    })
    try {
      return await Promise.race([work.result, gone])
    } finally {
      signal.removeEventListener('abort', leave)
      work.waiting--
      if (work.waiting === 0) this.#end(key, work)
    }
  }

  /** Breaks everything off. */
  close(reason: Error): void {
    for (const { controller } of this.#running.values()) controller.abort(reason)
  }

  #start(key: string, start: (signal: AbortSignal) => Promise<T>): Work<T> {
    const controller = new AbortController()
    const work: Work<T> = { result: start(controller.signal), controller, waiting: 0 }
    // Whoever waits is told; nobody may be left to.
    work.result.catch(() => {})
    this.#running.set(key, work)
    return work
  }

  #end(key: string, work: Work<T>): void {
    if (this.#running.get(key) === work) this.#running.delete(key)
    work.controller.abort()
  }
}
