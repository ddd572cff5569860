import { setTimeout as delay } from 'node:timers/promises'

/** Asks until the answer is neither false nor undefined, and returns it; throws what `otherwise` says after the limit. */
export async function until(ask, { limitMs, otherwise }) {
  const endsAt = performance.now() + limitMs
  for (;;) {
    const answer = await ask()
    if (answer !== false && answer !== undefined) return answer
    if (performance.now() > endsAt) throw new Error(otherwise())
    await delay(25)
  }
}
