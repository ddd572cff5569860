import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Destination } from '@sluice/core'
import { listen, type ServerTls } from '../listening.js'
import { until } from '../until.js'
import { RawHttp2Peer } from './raw-http2-peer.js'

/** What the upstream does with each connection. When it returns, the connection stays as it is. */
export type RawHttp2Script = (peer: RawHttp2Peer) => void | Promise<void>

export interface RawHttp2UpstreamOptions {
  /** Speaks TLS, and agrees on `h2` unless said otherwise. Without it: HTTP/2 by prior knowledge. */
  readonly tls?: ServerTls
  /** How long each `expect…` of a script waits. @default 5_000 */
  readonly stepMs?: number
}

/** A server on loopback that speaks HTTP/2 as a script says. */
export interface RawHttp2Upstream extends AsyncDisposable {
  readonly host: string
  readonly port: number
  readonly destination: Destination
  /** TCP connections accepted so far, also those that failed in TLS. */
  readonly connections: number
  /** The connections for which a script started, in the order of arrival. */
  readonly peers: readonly RawHttp2Peer[]
  /** The connection of that index, as soon as there is one. */
  peer(index: number): Promise<RawHttp2Peer>
  /** Destroys all connections, waits for the scripts, and throws the first error that one of them had before. Idempotent. */
  close(): Promise<void>
}

/**
 * Starts a server that speaks HTTP/2 frame by frame, without an HTTP/2 library, which would neither send illegal frames nor show
 * all that it receives. A script that fails resets its connection, and its error comes out of `close()`.
 *
 * @example
 * ```ts
 * import { rawHttp2Upstream } from '@sluice/testkit'
 *
 * await using upstream = await rawHttp2Upstream(async (peer) => {
 *   await peer.handshake({ maxConcurrentStreams: 1 })
 *   const { streamId } = await peer.expectRequest()
 *   peer.rst(streamId, 7)
 * })
 * ```
 */
export async function rawHttp2Upstream(script: RawHttp2Script, options: RawHttp2UpstreamOptions = {}): Promise<RawHttp2Upstream> {
  const { stepMs = 5_000 } = options
  const peers: RawHttp2Peer[] = []
  const errors: unknown[] = []
  const running = new Set<Promise<void>>()
  let isClosing = false

  const play = async (peer: RawHttp2Peer): Promise<void> => {
    // A client in this process is to see its connect before the first step: else a reset looks to it like a refused dial.
    await nextTurn()
    try {
      await script(peer)
    } catch (error) {
      // What fails because we destroy its connection is no fault of the script.
      if (!isClosing) errors.push(error)
      peer.reset()
    }
  }
  const listening = await listen((socket) => {
    const peer = new RawHttp2Peer(socket, { index: peers.length, stepMs })
    peers.push(peer)
    const run = play(peer).finally(() => running.delete(run))
    running.add(run)
  }, options.tls && { alpn: ['h2'], ...options.tls })
  const close = async (): Promise<void> => {
    isClosing = true
    await listening.close()
    await Promise.all(running)
    if (errors.length > 0) throw errors[0]
  }
  return {
    host: listening.host,
    port: listening.port,
    destination: listening.destination,
    get connections() { return listening.connections },
    peers,
    async peer(index) {
      await until(() => index < peers.length, () => `connection ${index}; there are ${peers.length}`, stepMs)
      return peers[index] as RawHttp2Peer
    },
    close,
    [Symbol.asyncDispose]: close,
  }
}
