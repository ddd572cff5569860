import type { Connection, Counter } from '@sluice/core'
import { byteCountOf } from './byte-count.js'

/** What an outbound's tag is counted under; a direction that the policy does not count has none. */
export interface TrafficCounters {
  readonly uplink?: Counter
  readonly downlink?: Counter
}

/**
 * Counts what one connection carries, from now until it is closed; over TLS that is the plain text, as in v2ray.
 *
 * It reads the socket's own figures when a counter is asked and when the socket closes. Nothing is done per chunk, and the
 * connection is handed on as it is.
 */
export class StatCounterConnection {
  readonly #releases: readonly (() => void)[]

  constructor(connection: Connection, { uplink, downlink }: TrafficCounters) {
    const count = byteCountOf(connection)
    // Through another outbound, the way to the tunnel is on the same socket; the tunnel's first bytes may wait in it.
    const { bytesWritten } = count
    const bytesRead = count.bytesRead - connection.readableLength
    this.#releases = [
      uplink?.attach(() => count.bytesWritten - bytesWritten),
      downlink?.attach(() => count.bytesRead - bytesRead),
    ].filter((release) => release !== undefined)
    connection.once('close', this.#release)
  }

  readonly #release = (): void => {
    for (const release of this.#releases) release()
  }
}
