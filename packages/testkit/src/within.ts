/**
 * Waits for a promise, but not longer than that; the timer never outlives the call.
 *
 * @param what What is waited for, for the message: `Waited 500 ms in vain for WHAT`.
 * @throws {Error} when the time is up. The promise itself goes on, and its late rejection is swallowed.
 */
export async function within<T>(ms: number, what: string, promise: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const limit = new Promise<never>((_, reject) => {
    timer = setTimeout(() => { reject(new Error(`Waited ${ms} ms in vain for ${what}`)) }, ms)
  })
  try {
    return await Promise.race([promise, limit])
  } finally {
    clearTimeout(timer)
  }
}
