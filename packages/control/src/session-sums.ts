import type { SessionRecord } from '@sluice/core'

/** What the sessions of one outbound come to. */
export interface Sums {
  uplinkBytes: number
  downlinkBytes: number
  attempts: number
  retries: number
}

/** Adds up records by outbound: those that are complete for good, those of live sessions when somebody asks. */
export class SessionSums {
  readonly #settled = new Map<string, Sums>()

  settle(outbound: string, record: SessionRecord): void {
    add(this.#settled, outbound, record)
  }

  /** @param live The outbound and record of each session that is alive. */
  with(live: Iterable<readonly [outbound: string, record: SessionRecord]>): ReadonlyMap<string, Sums> {
    const sums = new Map([...this.#settled].map(([outbound, settled]) => [outbound, { ...settled }]))
    for (const [outbound, record] of live) add(sums, outbound, record)
    return sums
  }
}

function add(all: Map<string, Sums>, outbound: string, { uplinkBytes, downlinkBytes, attempts }: SessionRecord): void {
  const sums = all.get(outbound) ?? { uplinkBytes: 0, downlinkBytes: 0, attempts: 0, retries: 0 }
  sums.uplinkBytes += uplinkBytes
  sums.downlinkBytes += downlinkBytes
  sums.attempts += attempts
  sums.retries += Math.max(0, attempts - 1)
  all.set(outbound, sums)
}
