import { randomUUID } from 'node:crypto'
import {
  ProxyError, type Connection, type Context, type Destination, type Dialer, type DialOptions, type OutboundHandler,
} from '@sluice/core'
import { connectionPair } from './connection-pair.js'
import { ignoreErrors } from './ignore-errors.js'
import { SocketLink } from './socket-link.js'

/**
 * Dials through another outbound: each connection is a session of that outbound to what is dialled.
 *
 * The session is the dialling outbound's own. It has no user and no client, for a pooled connection outlives the one who caused it.
 * Errors are those of the other outbound, as they are.
 */
export class ThroughDialer implements Dialer {
  readonly #through: () => OutboundHandler

  /** @param through Asked for at each dial, so that the order of the config does not matter. */
  constructor(through: () => OutboundHandler) {
    this.#through = through
  }

  async dial(to: Destination, { signal }: DialOptions): Promise<Connection> {
    signal.throwIfAborted()
    const handler = this.#through()
    const connection = await (handler.connect?.(sessionTo(to, signal)) ?? dialByProcess(handler, to, signal))
    ignoreErrors(connection)
    return connection
  }
}

function sessionTo(target: Destination, signal: AbortSignal): Context {
  return {
    id: randomUUID(),
    target,
    inboundTag: '',
    signal,
    record: { startedAt: Date.now(), uplinkBytes: 0, downlinkBytes: 0, attempts: 0 },
  }
}

/** For an outbound that keeps its tunnel to itself: it gets one end of a pair to relay to, the caller has the other. */
async function dialByProcess(handler: OutboundHandler, to: Destination, signal: AbortSignal): Promise<Connection> {
  const [ours, theirs] = connectionPair()
  // The signal is for dialling only; the session goes on after it.
  const session = new AbortController()
  const follow = (): void => session.abort(signal.reason)
  signal.addEventListener('abort', follow)
  try {
    await new Promise<void>((resolve, reject) => {
      const link = new SocketLink(theirs, () => resolve())
      const unopened = (): void => {
        reject(new ProxyError('INTERNAL', `Outbound "${handler.tag}" ended without opening the link`, { side: 'internal' }))
      }
      // Once it is open, the pair tells how it ends, and the promise is settled.
      handler.process(sessionTo(to, session.signal), link).then(unopened, reject)
    })
    return ours
  } catch (error) {
    ours.destroy()
    theirs.destroy()
    throw error
  } finally {
    signal.removeEventListener('abort', follow)
  }
}
