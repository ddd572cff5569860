const UNITS: Readonly<Record<string, number>> = { h: 3_600_000, m: 60_000, s: 1_000, ms: 1, us: 1e-3, 'µs': 1e-3, ns: 1e-6 }
const WHOLE = /^(?:\d+(?:\.\d+)?(?:h|ms|m|s|us|µs|ns))+$/
const PART = /(\d+(?:\.\d+)?)(h|ms|m|s|us|µs|ns)/g

/** Reads a duration as Go writes it (`10s`, `1m30s`, `1.5h`). @returns milliseconds, or `undefined` for any other text. */
export function parseDuration(text: string): number | undefined {
  if (!WHOLE.test(text)) return undefined
  let sum = 0
  for (const [, value, unit = ''] of text.matchAll(PART)) sum += Number(value) * (UNITS[unit] ?? 0)
  return sum
}
