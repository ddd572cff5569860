import type { PooledSession } from './pooled-session.js'

/** What may wait unread in one stream before the server must pause. The default of 64 KiB starves long paths. */
export const STREAM_WINDOW_BYTES = 4 * 1024 * 1024
const NARROW_WINDOW_BYTES = 64 * 1024
const MAX_UNREAD_BYTES = 256 * 1024 * 1024

/**
 * Keeps what waits unread in all tunnels of a pool within bounds. Clients that read slowly may fill one window each; when all
 * together are too much, the windows are narrowed until half of it was read. Tunnels whose clients do read go on meanwhile.
 */
export class UnreadLimit {
  readonly #sessions: ReadonlySet<PooledSession>
  readonly #maxBytes: number
  #isNarrow = false

  constructor(sessions: ReadonlySet<PooledSession>, maxBytes = MAX_UNREAD_BYTES) {
    this.#sessions = sessions
    this.#maxBytes = maxBytes
  }

  /** What a new session should allow each stream. */
  get windowBytes(): number {
    return this.#isNarrow ? NARROW_WINDOW_BYTES : STREAM_WINDOW_BYTES
  }

  /** To be called now and then, as long as there are tunnels. */
  check(): void {
    let unread = 0
    for (const session of this.#sessions) unread += session.unreadBytes
    const isNarrow = unread > (this.#isNarrow ? this.#maxBytes / 2 : this.#maxBytes)
    if (isNarrow === this.#isNarrow) return
    this.#isNarrow = isNarrow
    for (const session of this.#sessions) session.allow(this.windowBytes)
  }
}
