import type { Connection, Destination, Dialer, DialOptions } from '@sluice/core'
import { closedPort } from '../../listening.js'

/**
 * The dialer of an outbound under test. It counts what it dials, and can be told to hold dials back, or to dial where nobody
 * listens, which says all that there is to say about an upstream that is down.
 */
export class TrackedDialer implements Dialer {
  readonly connections: Connection[] = []
  readonly #dialer: Dialer
  readonly #waiting = new Set<() => void>()
  #mode: 'dial' | 'hold' | 'refuse' = 'dial'
  #dials = 0

  constructor(dialer: Dialer) {
    this.#dialer = dialer
  }

  /** How often `dial` was called. */
  get dials(): number {
    return this.#dials
  }

  /** From now on a dial waits for `release`, or for its signal. */
  hold(): void {
    this.#mode = 'hold'
  }

  release(): void {
    this.#mode = 'dial'
    for (const proceed of this.#waiting) proceed()
  }

  /** From now on nobody listens where is dialled. */
  refuse(): void {
    this.#mode = 'refuse'
  }

  async dial(to: Destination, options: DialOptions): Promise<Connection> {
    this.#dials += 1
    if (this.#mode === 'hold') await this.#wait(options.signal)
    const target = this.#mode === 'refuse' ? { ...to, host: '127.0.0.1', port: await closedPort() } : to
    const connection = await this.#dialer.dial(target, options)
    this.connections.push(connection)
    return connection
  }

  #wait(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const done = (): void => {
        this.#waiting.delete(proceed)
        signal.removeEventListener('abort', cancel)
      }
      const proceed = (): void => { done(); resolve() }
      const cancel = (): void => { done(); reject(signal.reason) }
      if (signal.aborted) return cancel()
      signal.addEventListener('abort', cancel)
      this.#waiting.add(proceed)
    })
  }
}
