import { Duplex } from 'node:stream'
import type { Connection } from '@sluice/core'
import { ignoreErrors } from './ignore-errors.js'

type Done = (error?: Error | null) => void

class PairEnd extends Duplex {
  #peer!: PairEnd
  /** Completes the peer's write once this end has room again. */
  #room: Done | undefined

  static pair(): [PairEnd, PairEnd] {
    const [a, b] = [new PairEnd(), new PairEnd()]
    a.#peer = b
    b.#peer = a
    return [a, b]
  }

  constructor() {
    super({ allowHalfOpen: true })
    ignoreErrors(this)
  }

  override _read(): void {
    this.#wake()
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: Done): void {
    const peer = this.#peer
    if (peer.destroyed) return done(gone())
    if (peer.push(chunk)) done()
    else peer.#room = done
  }

  override _final(done: Done): void {
    if (!this.#peer.destroyed) this.#peer.push(null)
    done()
  }

  override _destroy(error: Error | null, done: Done): void {
    const peer = this.#peer
    if (error !== null) peer.destroy(error)
    // As a socket that is closed: the peer reads an end, and fails when it writes.
    else if (!peer.destroyed && !this.writableFinished) peer.push(null)
    this.#wake(gone())
    done(error)
  }

  #wake(error?: Error): void {
    const room = this.#room
    this.#room = undefined
    room?.(error)
  }
}

function gone(): Error {
  return Object.assign(new Error('The other end of the connection pair was destroyed'), { code: 'EPIPE' })
}

/**
 * Makes two connections in memory: what is written to one is read from the other, with back-pressure and half-close as between
 * two sockets, and without a copy.
 *
 * `destroy(error)` of one end destroys the other with the same error, as a reset does. `destroy()` is seen as an end by the other,
 * whose later writes fail with EPIPE. Both carry an `error` listener, so that a fault to which nobody listens harms nobody.
 *
 * @example
 * ```ts
 * import { connectionPair } from '@sluice/transport'
 *
 * const [client, server] = connectionPair()
 * server.on('data', (chunk: Buffer) => server.end(chunk))
 * client.end('echo')
 * ```
 */
export function connectionPair(): [Connection, Connection] {
  return PairEnd.pair()
}
