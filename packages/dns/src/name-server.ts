/** The two kinds of records that hold addresses. */
export type AddressType = 'A' | 'AAAA'

/** What a server says of one name and type. No address: there is none. */
export interface Answer {
  readonly addresses: readonly string[]
  /** How long it may be kept, in seconds; 0: not at all. */
  readonly ttlSeconds: number
}

/** One server that is asked for names. */
export interface NameServer {
  /** Names it in messages. */
  readonly label: string
  /**
   * @throws {Error} why there is no answer; its message reads on after `server LABEL`.
   * @throws `signal.reason` as it is, when aborted.
   */
  query(name: string, type: AddressType, signal: AbortSignal): Promise<Answer>
  /** Lets go of connections that are kept. */
  close?(): void
}
