import { deadline } from './deadline.js'

/** A signal with a time limit. Disposing lets go of the parent and of the clock. */
export interface LimitSignal extends Disposable {
  readonly signal: AbortSignal
}

/**
 * Makes a signal that aborts with its parent, or after a time limit with an error of its own.
 *
 * @param ms The limit in milliseconds; 0 = none.
 * @param expired Makes the reason when the limit is reached.
 * @returns To be disposed by the caller, in every case. Without a limit its signal is the parent.
 *
 * @example
 * ```ts
 * import { limitSignal } from '@sluice/transport'
 *
 * export async function greet(parent: AbortSignal): Promise<Response> {
 *   using limit = limitSignal(parent, 10_000, () => new Error('No greeting came in time'))
 *   return await fetch('http://127.0.0.1:8080/greeting', { signal: limit.signal })
 * }
 * ```
 */
export function limitSignal(parent: AbortSignal, ms: number, expired: () => Error): LimitSignal {
  if (ms === 0 || parent.aborted) return { signal: parent, [Symbol.dispose]() {} }
  const controller = new AbortController()
  const cancel = deadline(ms, () => {
    release()
    controller.abort(expired())
  })
  const follow = (): void => {
    release()
    controller.abort(parent.reason)
  }
  const release = (): void => {
    cancel()
    parent.removeEventListener('abort', follow)
  }
  parent.addEventListener('abort', follow)
  return { signal: controller.signal, [Symbol.dispose]: release }
}
