import type { Connection, Destination, Dialer, DialOptions } from '@sluice/core'
import { StatCounterConnection, type TrafficCounters } from './stat-counter-connection.js'

/** Lets everything that another dialer dials be counted. */
export class CountingDialer implements Dialer {
  readonly #dialer: Dialer
  readonly #counters: TrafficCounters

  constructor(dialer: Dialer, counters: TrafficCounters) {
    this.#dialer = dialer
    this.#counters = counters
  }

  async dial(to: Destination, options: DialOptions): Promise<Connection> {
    const connection = await this.#dialer.dial(to, options)
    // It lives as long as the connection, whose `close` releases it.
    void new StatCounterConnection(connection, this.#counters)
    return connection
  }
}
