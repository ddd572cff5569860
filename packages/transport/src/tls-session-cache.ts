const MAX_SESSIONS = 256

/** The last TLS session of each server, so that the next handshake with it is shorter. Bounded: the oldest goes first. */
export class TlsSessionCache {
  readonly #sessions = new Map<string, Buffer>()

  get(server: string): Buffer | undefined {
    return this.#sessions.get(server)
  }

  set(server: string, session: Buffer): void {
    this.#sessions.delete(server)
    this.#sessions.set(server, session)
    if (this.#sessions.size <= MAX_SESSIONS) return
    const [oldest] = this.#sessions.keys()
    if (oldest !== undefined) this.#sessions.delete(oldest)
  }

  /** A session that a handshake failed with may be what it failed of. */
  delete(server: string): void {
    this.#sessions.delete(server)
  }
}
