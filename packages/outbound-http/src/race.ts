import { ProxyError } from '@sluice/core'
import { deadline } from '@sluice/transport'
import type { Attempt } from './attempt.js'

/** A server that gives no connection for this long is not waited for alone where there is another one. */
const PATIENCE_MS = 1_000

/** What a single try is given beside what to try. */
export interface TryControl {
  /** Breaks it off. The try then rejects with its reason as it is. */
  readonly signal: AbortSignal
  /** To be called when there is a connection to ask on: from then on it may be the target that is slow. */
  readonly onConnected: () => void
}

/** How a single try is made; rejects with a `ProxyError`, or with the reason of its signal. */
export type TryOnce<T> = (attempt: Attempt, control: TryControl) => Promise<T>

export interface RaceOptions<T> {
  /** The session's. */
  readonly signal: AbortSignal
  readonly tryOnce: TryOnce<T>
  /** Picks what to try beside the first; `undefined`: nothing. Asked once at most. */
  readonly second: () => Attempt | undefined
  /** Told of each failure while nothing has opened. What it throws ends the race. */
  readonly failed: (attempt: Attempt, error: unknown) => void
  /** Gets rid of what opened too late. */
  readonly discard: (value: T) => void
}

interface Runner {
  readonly attempt: Attempt
  readonly breakOff: AbortController
  isConnected: boolean
}

/** Why a try was broken off: it had no connection yet when another one had its tunnel. */
export class Outrun extends ProxyError {
  constructor(server: string) {
    super('TIMEOUT', `Server ${server} gave no connection within ${PATIENCE_MS} ms, and another one did`, { phase: 'dial', server })
  }
}

/**
 * One try, and beside it a second one on another server if the first has no connection after 1 s. The first that opens wins, and the
 * other is broken off.
 */
export class Race<T> {
  readonly #options: RaceOptions<T>
  readonly #runners = new Set<Runner>()
  #cancelPatience: () => void = () => {}
  #settle: ((outcome: T | undefined | Promise<never>) => void) | undefined

  constructor(options: RaceOptions<T>) {
    this.#options = options
  }

  /** @returns `undefined`: all have failed. @throws what `failed` threw. @throws `signal.reason` as it is. */
  run(first: Attempt): Promise<T | undefined> {
    return new Promise((resolve) => {
      this.#settle = resolve
      this.#options.signal.addEventListener('abort', this.#onAbort)
      const runner = this.#start(first)
      this.#cancelPatience = deadline(PATIENCE_MS, () => {
        const second = runner.isConnected ? undefined : this.#options.second()
        if (second !== undefined) this.#start(second)
      })
    })
  }

  #start(attempt: Attempt): Runner {
    const runner: Runner = { attempt, breakOff: new AbortController(), isConnected: false }
    this.#runners.add(runner)
    const onConnected = (): void => {
      runner.isConnected = true
    }
    this.#options.tryOnce(attempt, { signal: runner.breakOff.signal, onConnected }).then(
      (value) => this.#opened(runner, value),
      (error: unknown) => this.#failed(runner, error),
    )
    return runner
  }

  #opened(runner: Runner, value: T): void {
    this.#runners.delete(runner)
    if (this.#settle === undefined) return this.#options.discard(value)
    this.#end(value)
    for (const { attempt: { server }, breakOff, isConnected } of this.#runners) {
      breakOff.abort(isConnected ? new Error('Another server opened the tunnel first') : new Outrun(server.name))
    }
  }

  #failed(runner: Runner, error: unknown): void {
    this.#runners.delete(runner)
    if (this.#settle === undefined) return
    try {
      this.#options.failed(runner.attempt, error)
    } catch (final) {
      this.#end(Promise.reject(final as Error))
      for (const { breakOff } of this.#runners) breakOff.abort(final)
      return
    }
    if (this.#runners.size === 0) this.#end(undefined)
  }

  readonly #onAbort = (): void => {
    const reason: unknown = this.#options.signal.reason
    this.#end(Promise.reject(reason as Error))
    for (const { breakOff } of this.#runners) breakOff.abort(reason)
  }

  #end(outcome: T | undefined | Promise<never>): void {
    this.#cancelPatience()
    this.#options.signal.removeEventListener('abort', this.#onAbort)
    this.#settle?.(outcome)
    this.#settle = undefined
  }
}
