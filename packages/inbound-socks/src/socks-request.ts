import type { Destination } from '@sluice/core'

/** What a client asked for, in whichever version of SOCKS, and the answers that its version has. */
export interface SocksRequest {
  readonly target: Destination
  /** Who the client proved to be; absent where nobody is asked. */
  readonly user?: string
  /** Tells it that the target is reached. */
  readonly granted: Buffer
  /** Tells it why the session did not open. */
  readonly refused: (error: unknown) => Buffer
}
