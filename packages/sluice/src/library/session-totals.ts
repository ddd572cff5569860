import type { Context, Instance } from '@sluice/core'

/** What a proxy did since its start. */
export interface ProxyStats {
  /** Sessions that ended, and those that are open. */
  readonly sessions: number
  readonly open: number
  /** Sessions for which no tunnel opened. */
  readonly failed: number
  /** Payload of clients, open sessions included. */
  readonly uplinkBytes: number
  readonly downlinkBytes: number
  /** The counters that the config's `stats` and `policy` ask for, by their names. */
  readonly counters: ReadonlyMap<string, number>
}

/** Sums up sessions as they end. */
export class SessionTotals {
  #ended = 0
  #failed = 0
  #uplinkBytes = 0
  #downlinkBytes = 0

  /** @returns Ends it. */
  follow(instance: Instance): () => void {
    return instance.events.on('session:close', ({ record }) => {
      this.#ended++
      if (record.outcome === 'failed') this.#failed++
      this.#uplinkBytes += record.uplinkBytes
      this.#downlinkBytes += record.downlinkBytes
    })
  }

  stats(open: readonly Context[], counters: ReadonlyMap<string, number>): ProxyStats {
    const sum = (bytes: (session: Context) => number): number => open.reduce((total, session) => total + bytes(session), 0)
    return {
      sessions: this.#ended + open.length,
      open: open.length,
      failed: this.#failed,
      uplinkBytes: this.#uplinkBytes + sum(({ record }) => record.uplinkBytes),
      downlinkBytes: this.#downlinkBytes + sum(({ record }) => record.downlinkBytes),
      counters,
    }
  }
}
