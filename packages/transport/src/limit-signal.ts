import { deadline } from './deadline.js'

/** A signal with a time limit. Disposing lets go of the parent and the clock; the signal then never aborts. */
export interface LimitSignal extends Disposable {
  readonly signal: AbortSignal
}

/**
 * Makes a signal that aborts with its parent, or after a time limit with an error of its own.
 *
 * @param ms The limit in milliseconds; 0 = none.
 * @param expired Makes the reason when the limit is reached.
 * @returns To be disposed by the caller, in every case: `using limit = limitSignal(…)`.
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
