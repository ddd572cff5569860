import { getEventListeners, type EventEmitter } from 'node:events'
import { until } from './until.js'

export interface LeakCounterOptions {
  /** Whose listeners are counted as well, of all events, under the name by which a message is to call them. */
  readonly watch?: Readonly<Record<string, EventEmitter | AbortSignal>>
}

/** What there was when the counter was made, to be compared with what is left. */
export interface LeakCounter {
  /** What there is more of than at the start, a line each: `2 TCPSocketWrap`, `1 listener for 'abort' on ctx.signal`. */
  leaks(): string[]
  /**
   * Waits until nothing is left.
   * @param ms @default 1_000
   * @throws {Error} when something is left after that; the message lists it.
   */
  expectNoLeaks(ms?: number): Promise<void>
}

// The event loop's own and the test runner's: they come and go as they like and belong to nobody who is tested.
const NOT_OURS = new Set([
  'Immediate', 'MessagePort', 'TTYWrap', 'PipeWrap', 'FSReqCallback', 'FSReqPromise', 'FSEvent', 'CloseReq', 'Process',
])

/**
 * Counts what keeps the process alive: sockets, servers, HTTP/2 sessions, name lookups, timers.
 *
 * It sees the whole thread, so what is compared must run alone. A timer or socket that is `unref`ed is not seen.
 *
 * @example
 * ```ts
 * import { leakCounter } from '@sluice/testkit'
 *
 * declare const runSession: (signal: AbortSignal) => Promise<void>
 * const { signal } = new AbortController()
 * const counter = leakCounter({ watch: { signal } })
 * await runSession(signal)
 * await counter.expectNoLeaks()
 * ```
 */
export function leakCounter({ watch = {} }: LeakCounterOptions = {}): LeakCounter {
  const count = (): Map<string, number> => {
    const counts = countResources()
    for (const [name, emitter] of Object.entries(watch)) countListeners(name, emitter, counts)
    return counts
  }
  const baseline = count()
  const leaks = (): string[] => [...count()]
    .map(([what, now]): [string, number] => [what, now - (baseline.get(what) ?? 0)])
    .filter(([, more]) => more > 0)
    .map(([what, more]) => `${more} ${what}`)
  return {
    leaks,
    expectNoLeaks: (ms = 1_000) => until(() => leaks().length === 0, () => `nothing to be left: ${leaks().join(', ')}`, ms),
  }
}

function countResources(): Map<string, number> {
  const counts = new Map<string, number>()
  for (const kind of process.getActiveResourcesInfo()) {
    if (!NOT_OURS.has(kind)) counts.set(kind, (counts.get(kind) ?? 0) + 1)
  }
  return counts
}

function countListeners(name: string, emitter: EventEmitter | AbortSignal, counts: Map<string, number>): void {
  const events = emitter instanceof AbortSignal ? ['abort'] : emitter.eventNames()
  for (const event of events) {
    const listeners = emitter instanceof AbortSignal ? getEventListeners(emitter, 'abort').length : emitter.listenerCount(event)
    if (listeners > 0) counts.set(`listener for '${String(event)}' on ${name}`, listeners)
  }
}
