import type { Connection } from './connection.js'
import type { User } from './context.js'
import type { Destination } from './destination.js'
import type { Link } from './link.js'

/** What a client asked for, as far as its inbound could learn it. */
export interface SessionRequest {
  readonly target: Destination
  /** Who asks; absent where the inbound authenticates nobody. */
  readonly user?: User
}

/**
 * Hands one session to the framework and settles when it has ended.
 *
 * Until `link.open()` the framework watches the link's reader: a `close` or `error` there means that the client is gone, and
 * cancels the session. The inbound therefore lets the reader fill to its high-water mark (`read(0)`), without consuming.
 *
 * @throws {ProxyError} when no tunnel was opened: `answerTo(error)` says what to tell the client. After `open` it never rejects.
 */
export type Dispatch = (request: SessionRequest, link: Link) => Promise<void>

/** Speaks with clients in one protocol, as its settings say. One object serves all connections of its handler at once. */
export interface Inbound {
  /**
   * Serves one accepted connection to its end: reads the request within the policy's `handshake`, dispatches it, and answers with
   * success only when `link.open()` is called. After a refusal it ends the connection within 10 s.
   *
   * What a client does, however hostile, is no reason to reject: it is answered or cut. A rejection is logged as INTERNAL and the
   * connection aborted.
   */
  handle(connection: Connection, dispatch: Dispatch): Promise<void>
  /** The instance stops: close at once what only waits for a next request. Sessions go on until the drain limit. */
  drain?(): void
}

/** An inbound protocol that shares a port with others. */
export interface InboundPart {
  readonly protocol: string
  readonly inbound: Inbound
  /** Whether it lets in only who can authenticate. */
  readonly authenticates: boolean
  /** Whether a connection that starts with this byte is of this protocol. */
  claims(firstByte: number): boolean
}

/** Makes inbounds of the registered protocols, for one that serves several of them on its port. */
export interface InboundParts {
  /** The protocols that can be told by their first byte, in the order of registration. */
  readonly protocols: readonly string[]
  /**
   * @param settings Those that the protocol does not know are left out; the others are checked as if they stood in a config.
   * @throws {ConfigError} with paths that start at the settings.
   */
  create(protocol: string, settings: Readonly<Record<string, unknown>>, tag: string): InboundPart
}
