import { isProxyError } from '@sluice/core'
import type { Lease, LeaseOptions } from './lease.js'

/** A tunnel that waits for a slot. */
export interface Waiter extends LeaseOptions {
  /** By the monotonic clock. */
  readonly since: number
  /** Ends the wait. */
  grant(lease: Lease | Promise<Lease>): void
  refuse(error: Error): void
}

/** Tunnels that wait for a slot or a connection, those that wait longest first. */
export class WaitingLine {
  readonly #waiters = new Set<Waiter>()
  readonly #left: (waiter: Waiter, hasTimedOut: boolean) => void

  /** @param left Called when one gave up. */
  constructor(left: (waiter: Waiter, hasTimedOut: boolean) => void) {
    this.#left = left
  }

  get length(): number {
    return this.#waiters.size
  }

  [Symbol.iterator](): IterableIterator<Waiter> {
    return this.#waiters.values()
  }

  /** Lets a tunnel wait at the end of the line. @throws `signal.reason` as it is. */
  join(options: LeaseOptions): Promise<Lease> {
    const { signal } = options
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        this.#waiters.delete(waiter)
        signal.removeEventListener('abort', onAbort)
      }
      const onAbort = (): void => {
        leave()
        reject(signal.reason as Error)
        this.#left(waiter, isProxyError(signal.reason) && signal.reason.code === 'TIMEOUT')
      }
      const waiter: Waiter = {
        ...options,
        since: performance.now(),
        grant: (lease) => {
          leave()
          resolve(lease)
        },
        refuse: (error) => {
          leave()
          reject(error)
        },
      }
      signal.addEventListener('abort', onAbort)
      this.#waiters.add(waiter)
    })
  }
}
