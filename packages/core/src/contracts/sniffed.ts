/** What the first bytes of a session tell of it. */
export interface Sniffed {
  /** As rules name it: `http` or `tls`. */
  readonly protocol: string
  /** The name that the client asks for inside, where it is to be used. */
  readonly domain?: string
}
