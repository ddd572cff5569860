/** Durations in the care of HTTP/2 connections, all in ms. No settings: only tests change them. */
export interface PoolTimes {
  /** With tunnels open and nothing heard for this long, the server is asked for a sign of life. */
  readonly silenceMs: number
  /** Without that sign for this long, the connection is dead. */
  readonly pingLimitMs: number
  /** Without that sign for this long, nobody should rely on the connection. */
  readonly suspectMs: number
  /** Within this, the server's SETTINGS must have come. */
  readonly settleMs: number
  /** Without a tunnel for this long, the connection is closed. */
  readonly idleMs: number
  /** A closed connection whose server does not close its side goes after this. */
  readonly lingerMs: number
  /** A request without an answer for this long may be made once more elsewhere. */
  readonly hedgeAfterMs: number
  /** After an answer came elsewhere first, the connection has this much time to show that it still answers. */
  readonly judgeAfterMs: number
  /** How long a server is taken to answer no more streams per connection than was found. */
  readonly learnedMs: number
  /** After ENHANCE_YOUR_CALM, the server is not dialled for this long. */
  readonly calmMs: number
}

export const POOL_TIMES: PoolTimes = {
  silenceMs: 15_000,
  pingLimitMs: 5_000,
  suspectMs: 1_000,
  settleMs: 5_000,
  idleMs: 60_000,
  lingerMs: 5_000,
  hedgeAfterMs: 1_000,
  judgeAfterMs: 200,
  learnedMs: 600_000,
  calmMs: 500,
}
