import type { InstanceEvents, ProxyErrorCode } from '@sluice/core'

const MAX_SERVERS = 1_000

/** What is known of an upstream proxy. */
export interface ServerState {
  readonly outbound: string
  /** `host:port`. */
  readonly server: string
  /** False while it rests after failures. */
  readonly up: boolean
  /** Milliseconds since 1970 at which that was learnt. */
  readonly since: number
  /** Why it rests. */
  readonly code?: ProxyErrorCode
}

/** The servers of one instance that carried a session or failed to; the last 1,000 that were heard of. */
export class ServerStates {
  readonly #states = new Map<string, ServerState>()

  /** @returns Ends it. */
  follow(events: InstanceEvents): () => void {
    const stops = [
      events.on('server:down', ({ outboundTag, server, error: { code } }) => this.#set(outboundTag, server, { up: false, code })),
      events.on('server:up', ({ outboundTag, server }) => this.#set(outboundTag, server, { up: true })),
      events.on('session:established', ({ record: { outboundTag = '', server } }) => {
        // A session may have been under way since before the server began to rest.
        if (server !== undefined && !this.#states.has(keyOf(outboundTag, server))) this.#set(outboundTag, server, { up: true })
      }),
    ]
    return () => {
      for (const stop of stops) stop()
    }
  }

  [Symbol.iterator](): IterableIterator<ServerState> {
    return this.#states.values()
  }

  #set(outbound: string, server: string, state: Pick<ServerState, 'up' | 'code'>): void {
    const key = keyOf(outbound, server)
    const [oldest] = this.#states.keys()
    if (oldest !== undefined && this.#states.size >= MAX_SERVERS && !this.#states.has(key)) this.#states.delete(oldest)
    this.#states.set(key, { outbound, server, since: Date.now(), ...state })
  }
}

function keyOf(outbound: string, server: string): string {
  return JSON.stringify([outbound, server])
}
