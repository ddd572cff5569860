import { formatEndpoint, printable, toProxyError, type Context } from '@sluice/core'

const MAX_TARGETS = 20

interface TargetTotals {
  sessions: number
  uplinkBytes: number
  downlinkBytes: number
}

/** Sums up what a command did through its proxy. */
export class ExecSummary {
  readonly #targets = new Map<string, TargetTotals>()
  readonly #failures = new Map<string, Map<string, number>>()
  readonly #startedAt = performance.now()

  add({ target, record }: Context): void {
    const name = printable(formatEndpoint(target))
    const totals = this.#targets.get(name) ?? { sessions: 0, uplinkBytes: 0, downlinkBytes: 0 }
    totals.sessions++
    totals.uplinkBytes += record.uplinkBytes
    totals.downlinkBytes += record.downlinkBytes
    this.#targets.set(name, totals)
    if (record.outcome !== 'failed') return
    const { code } = toProxyError(record.error)
    const failed = this.#failures.get(code) ?? new Map<string, number>()
    failed.set(name, (failed.get(name) ?? 0) + 1)
    this.#failures.set(code, failed)
  }

  /** Sessions and bytes in all, by target with the most bytes first, and what failed by code. */
  lines(): string[] {
    const all = [...this.#targets.values()]
    const seconds = ((performance.now() - this.#startedAt) / 1000).toFixed(1)
    const targets = [...this.#targets].sort(([, a], [, b]) => bytesOf(b) - bytesOf(a))
    const more = targets.length - MAX_TARGETS
    return [
      `sluice exec: ${formatTotals({
        sessions: sum(all, ({ sessions }) => sessions),
        uplinkBytes: sum(all, ({ uplinkBytes }) => uplinkBytes),
        downlinkBytes: sum(all, ({ downlinkBytes }) => downlinkBytes),
      })} in ${seconds} s`,
      ...targets.slice(0, MAX_TARGETS).map(([name, totals]) => `  ${name}: ${formatTotals(totals)}`),
      ...(more > 0 ? [`  and ${more} more targets`] : []),
      ...[...this.#failures].map(([code, names]) =>
        `  failed with ${code}: ${[...names].map(([name, count]) => (count === 1 ? name : `${name} (${count})`)).join(', ')}`),
    ]
  }
}

function formatTotals({ sessions, uplinkBytes, downlinkBytes }: TargetTotals): string {
  return `${sessions} ${sessions === 1 ? 'session' : 'sessions'}, ${formatBytes(uplinkBytes)} up, ${formatBytes(downlinkBytes)} down`
}

function formatBytes(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB']
  const power = bytes < 1000 ? 0 : Math.min(Math.floor(Math.log10(bytes) / 3), units.length - 1)
  return `${power === 0 ? bytes : (bytes / 1000 ** power).toFixed(1)} ${units[power] ?? ''}`
}

function bytesOf({ uplinkBytes, downlinkBytes }: TargetTotals): number {
  return uplinkBytes + downlinkBytes
}

function sum<T>(list: readonly T[], of: (item: T) => number): number {
  return list.reduce((total, item) => total + of(item), 0)
}
