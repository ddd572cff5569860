import { setImmediate as nextTurn } from 'node:timers/promises'

/**
 * Lets the other ends of connections, where they are in this process, read what has been written so far.
 *
 * To be awaited before a reset: libuv reports a reset as a clean end when bytes are still to be read before it. That goes for the
 * session tickets of TLS 1.3 too.
 */
export async function flushed(): Promise<void> {
  // The first turn may end without a poll; the second has one in between.
  await nextTurn()
  await nextTurn()
}
