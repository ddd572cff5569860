import type { Socket } from 'node:net'
import type { ConnectionOptions } from 'node:tls'
import type { Connection, Instance } from '@sluice/core'
import { secureTunnel } from './secure-tunnel.js'
import { createTunnels, type Tunnels } from './tunnels.js'
import type { Upstream } from './upstream.js'

/** What undici asks its connector for. */
export interface ConnectorRequest {
  readonly hostname: string
  readonly protocol: string
  /** `''`: that of the protocol. */
  readonly port: string
  readonly servername?: string
}

type Done = (...result: [error: null, socket: Socket] | [error: Error, socket: null]) => void

/** A function as undici's `connect` option takes it. */
export interface Connector extends AsyncDisposable {
  (request: ConnectorRequest, done: Done): void
  /** Closes the connections to the upstream; to be called after the dispatcher's own `close`. */
  close(): Promise<void>
}

/**
 * Makes the `connect` of an undici `Agent`, `Pool` or `Client`, and so of `fetch`: each of its connections is a tunnel through an
 * upstream or a started instance. Through an upstream with HTTP/2 they share a few connections.
 *
 * @param tls For targets, as `ca`. HTTP/1.1 is agreed on, unless `ALPNProtocols` says otherwise.
 * @throws {Error} for an upstream URL that cannot be used.
 * @example
 * ```ts ignore
 * import { connector } from 'sluice'
 * import { Agent, fetch } from 'undici'
 *
 * const dispatcher = new Agent({ connect: connector('https://user:pass@proxy.example') })
 * const response = await fetch('https://example.com/', { dispatcher })
 * ```
 */
export function connector(upstream: Upstream | Instance, tls: ConnectionOptions = {}): Connector {
  const tunnels = createTunnels(upstream)
  const connect = (request: ConnectorRequest, done: Done): void => {
    openConnection(tunnels, request, tls).then(
      // undici takes any stream that reads and writes as a socket does.
      (connection) => done(null, connection as Socket),
      (error: unknown) => done(error as Error, null),
    )
  }
  const close = (): Promise<void> => tunnels.close()
  return Object.assign(connect, { close, [Symbol.asyncDispose]: close })
}

async function openConnection(tunnels: Tunnels, request: ConnectorRequest, tls: ConnectionOptions): Promise<Connection> {
  const { hostname, protocol, port, servername } = request
  const isSecure = protocol === 'https:'
  const target = { host: hostname.replace(/^\[(.*)\]$/, '$1'), port: port === '' ? (isSecure ? 443 : 80) : Number(port) }
  const { signal } = new AbortController()
  const tunnel = await tunnels.open(target, signal)
  if (!isSecure) return tunnel
  const name = servername === undefined || servername === '' ? {} : { servername }
  return secureTunnel(tunnel, target, { ALPNProtocols: ['http/1.1'], ...name, ...tls }, signal)
}
