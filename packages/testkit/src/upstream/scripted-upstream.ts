import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Destination } from '@sluice/core'
import { listen, type ServerTls } from '../listening.js'
import { until } from '../until.js'
import { Peer } from './peer.js'
import { runSteps, type Step } from './steps.js'

/** What the upstream does with each connection. When it returns, the connection stays as it is. */
export type Script = (peer: Peer) => void | Promise<void>

export interface ScriptedUpstreamOptions {
  /** Speaks TLS; the script starts after the handshake. */
  readonly tls?: ServerTls
  /** How long each `expect…` of a script waits. @default 5_000 */
  readonly stepMs?: number
}

/** A server on loopback that plays one script per connection. */
export interface ScriptedUpstream extends AsyncDisposable {
  readonly host: string
  readonly port: number
  readonly destination: Destination
  /** TCP connections accepted so far, also those that failed in TLS. */
  readonly connections: number
  /** The connections for which a script started, in the order of arrival. */
  readonly peers: readonly Peer[]
  /** Every head that a script took by `expectHead`, over all connections. */
  readonly requests: readonly string[]
  /** The connection of that index, as soon as there is one. */
  peer(index: number): Promise<Peer>
  /** @throws the first error of a script. */
  assertNoScriptErrors(): void
  /** Destroys all connections, waits for the scripts, and throws the first error that one of them had before. Idempotent. */
  close(): Promise<void>
}

/**
 * Starts a server that does what a script says, byte for byte. A script that fails resets its connection, so that nobody waits
 * for it, and its error comes out of `close()`.
 *
 * @example
 * ```ts
 * import { scriptedUpstream } from '@sluice/testkit'
 *
 * await using upstream = await scriptedUpstream(async (peer) => {
 *   await peer.expectHead()
 *   await peer.send('HTTP/1.1 200 OK\r\n\r\nearly')
 * })
 * ```
 */
export async function scriptedUpstream(
  script: Script | readonly Step[], options: ScriptedUpstreamOptions = {},
): Promise<ScriptedUpstream> {
  const peers: Peer[] = []
  const requests: string[] = []
  const errors: unknown[] = []
  const running = new Set<Promise<void>>()
  let closing = false

  const play = async (peer: Peer): Promise<void> => {
    // A client in this process is to see its connect before the first step: else a reset looks to it like a refused dial.
    await nextTurn()
    try {
      await (typeof script === 'function' ? script(peer) : runSteps(peer, script))
    } catch (error) {
      // What fails because we destroy its connection is no fault of the script.
      if (!closing) errors.push(error)
      await peer.reset()
    }
  }
  const listening = await listen((socket) => {
    const { stepMs } = options
    const peer = new Peer(socket, {
      index: peers.length, onHead: (head) => requests.push(head), ...(stepMs === undefined ? {} : { stepMs }),
    })
    peers.push(peer)
    const run = play(peer).finally(() => running.delete(run))
    running.add(run)
  }, options.tls)

  const assertNoScriptErrors = (): void => {
    if (errors.length > 0) throw errors[0]
  }
  const close = async (): Promise<void> => {
    closing = true
    await listening.close()
    await Promise.all(running)
    assertNoScriptErrors()
  }
  return {
    host: listening.host,
    port: listening.port,
    destination: listening.destination,
    get connections() { return listening.connections },
    peers,
    requests,
    async peer(index) {
      await until(() => index < peers.length, () => `connection ${index}; there are ${peers.length}`, options.stepMs ?? 5_000)
      return peers[index] as Peer
    },
    assertNoScriptErrors,
    close,
    [Symbol.asyncDispose]: close,
  }
}
