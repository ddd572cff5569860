interface Entry {
  readonly expired: () => void
}

/** Deadlines that fall due at the same moment, on one timer. */
interface Slot {
  readonly entries: Set<Entry>
  readonly timer: NodeJS.Timeout
}

const MAX_PRECISION_MS = 128
/** By precision, then by due time in units of it. Few precisions (powers of 2), so deadlines of any duration meet in few slots. */
const slots = new Map<number, Map<number, Slot>>()

/**
 * Calls back once when a time has passed: never early by more than the clock's own millisecond, late by at most a twentieth of
 * the time and at most 128 ms. Made for very many deadlines, of which hardly one is reached: those that fall due together share
 * one timer.
 *
 * @param ms Milliseconds; 0 = never.
 * @returns Cancels it. To be called when the wait is over; allowed at any time and more than once.
 *
 * @example
 * ```ts
 * import { deadline } from '@sluice/transport'
 *
 * const cancel = deadline(5_000, () => console.log('Nothing came for 5 s'))
 * process.stdin.once('data', cancel)
 * ```
 */
export function deadline(ms: number, expired: () => void): () => void {
  if (ms === 0) return () => {}
  const precisionMs = precisionOf(ms)
  const due = Math.ceil((performance.now() + ms) / precisionMs)
  const row = slots.get(precisionMs) ?? newRow(precisionMs)
  const slot = row.get(due) ?? newSlot(row, due, precisionMs)
  const entry: Entry = { expired }
  slot.entries.add(entry)
  return () => {
    if (!slot.entries.delete(entry) || slot.entries.size > 0) return
    clearTimeout(slot.timer)
    if (row.get(due) === slot) row.delete(due)
  }
}

/** The largest power of 2 that is within a twentieth of the time; at least 1 ms. */
function precisionOf(ms: number): number {
  let precisionMs = 1
  while (precisionMs < MAX_PRECISION_MS && precisionMs * 2 <= ms / 20) precisionMs *= 2
  return precisionMs
}

function newRow(precisionMs: number): Map<number, Slot> {
  const row = new Map<number, Slot>()
  slots.set(precisionMs, row)
  return row
}

function newSlot(row: Map<number, Slot>, due: number, precisionMs: number): Slot {
  const entries = new Set<Entry>()
  const fire = (): void => {
    row.delete(due)
    for (const entry of entries) {
      // A callback may cancel others of this slot: they leave the set before their turn comes.
      entries.delete(entry)
      entry.expired()
    }
  }
  const slot = { entries, timer: setTimeout(fire, Math.ceil(due * precisionMs - performance.now())) }
  row.set(due, slot)
  return slot
}
