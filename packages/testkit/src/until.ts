import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises'

const SPIN_TURNS = 20
const POLL_MS = 2

/**
 * Waits until a condition holds: looks at it in each turn of the event loop at first, then every 2 ms.
 *
 * @param what What is waited for, for the message; a function is asked only when the time is up.
 * @param ms @default 2_000
 * @throws {Error} when the time is up and the condition does not hold.
 */
export async function until(condition: () => boolean, what: string | (() => string), ms = 2_000): Promise<void> {
  const deadline = performance.now() + ms
  for (let turn = 0; !condition(); turn += 1) {
    if (performance.now() >= deadline) throw new Error(`Waited ${ms} ms in vain for ${typeof what === 'string' ? what : what()}`)
    await (turn < SPIN_TURNS ? nextTurn() : sleep(POLL_MS))
  }
}

/**
 * Waits until a figure no longer changes.
 *
 * @param quietMs For how long it must stay the same. @default 100
 * @returns The figure.
 * @throws {Error} when it still changes after `ms`.
 */
export async function untilSteady(read: () => number, what: string, ms = 10_000, quietMs = 100): Promise<number> {
  let last = read()
  let since = performance.now()
  await until(() => {
    const now = read()
    if (now !== last) {
      last = now
      since = performance.now()
    }
    return performance.now() - since >= quietMs
  }, `${what} to stay the same`, ms)
  return last
}
