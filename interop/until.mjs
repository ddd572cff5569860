import { setTimeout as delay } from 'node:timers/promises'

/** Asks until the answer is neither false nor undefined, and returns it; throws what `otherwise` says after the limit. */
export async function until(ask, { limitMs, everyMs = 25, otherwise }) {
  const endsAt = performance.now() + limitMs
  for (;;) {
    const answer = await ask()
    if (answer !== false && answer !== undefined) return answer
    if (performance.now() > endsAt) throw new Error(otherwise())
    await delay(everyMs)
  }
}

/** The promise's outcome; throws what `otherwise` says after the limit. */
export async function within(promise, { limitMs, otherwise }) {
  const controller = new AbortController()
  const late = delay(limitMs, undefined, { signal: controller.signal }).then(() => {
    throw new Error(otherwise())
  })
  try {
    return await Promise.race([promise, late])
  } finally {
    late.catch(() => {})
    controller.abort()
  }
}
