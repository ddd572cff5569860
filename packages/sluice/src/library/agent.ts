import { Agent as HttpAgent, type AgentOptions, type ClientRequest, type ClientRequestArgs } from 'node:http'
import { Agent as HttpsAgent, type AgentOptions as HttpsAgentOptions } from 'node:https'
import type { Duplex } from 'node:stream'
import type { ConnectionOptions } from 'node:tls'
import type { Endpoint, Instance } from '@sluice/core'
import { secureTunnel } from './secure-tunnel.js'
import { createTunnels, type Tunnels } from './tunnels.js'
import type { Upstream } from './upstream.js'

/** Agents of Node's `http` and `https`, whose connections are tunnels. Named so that clients which take such a pair take it whole. */
export interface ProxyAgents extends AsyncDisposable {
  readonly http: HttpAgent
  readonly https: HttpsAgent
  /** Closes idle connections and those to the upstream, and cuts the requests that still run. */
  close(): Promise<void>
}

type Callback = (error: Error | null, stream: Duplex) => void
type Open = (target: Endpoint, signal: AbortSignal) => Promise<Duplex>

/**
 * Makes agents for `http.request` and `https.request` that tunnel every request, plain ones too, through an upstream or a started
 * instance. Connections are kept alive; a request that is destroyed or aborted breaks off its dial.
 *
 * @param options Those of Node's own agents, as `maxSockets` or, for targets, `ca`. @default `{ keepAlive: true }`
 * @throws {Error} for an upstream URL that cannot be used.
 * @example
 * ```ts
 * import { get } from 'node:https'
 * import { agent } from 'sluice'
 *
 * await using via = agent('http://user:pass@proxy.example:3128')
 * get('https://example.com/', { agent: via.https }, (response) => response.pipe(process.stdout))
 * ```
 */
export function agent(upstream: Upstream | Instance, options: HttpsAgentOptions = {}): ProxyAgents {
  const tunnels = createTunnels(upstream)
  const own = { keepAlive: true, ...options }
  const [http, https] = [new TunnelAgent(tunnels, own), new SecureTunnelAgent(tunnels, own)]
  const close = async (): Promise<void> => {
    http.destroy()
    https.destroy()
    await tunnels.close()
  }
  return { http, https, close, [Symbol.asyncDispose]: close }
}

/** Under which an agent's options carry what ends with the request. */
const SIGNAL = Symbol('signal')

interface Options extends ClientRequestArgs {
  [SIGNAL]?: AbortSignal
}

/** What every agent has, though its type does not say so. */
interface RequestAdding {
  addRequest(request: ClientRequest, options: Options): void
}

class TunnelAgent extends HttpAgent {
  readonly #open: Open

  constructor(tunnels: Tunnels, options: AgentOptions) {
    super(options)
    this.#open = (target, signal) => tunnels.open(target, signal)
  }

  addRequest(request: ClientRequest, options: Options): void {
    ;(HttpAgent.prototype as unknown as RequestAdding).addRequest.call(this, request, { ...options, [SIGNAL]: endOf(request) })
  }

  override createConnection(options: Options, callback?: Callback): undefined {
    createConnection(this.#open, options, callback)
  }

  override keepSocketAlive(socket: Duplex): boolean {
    return !hasHandle(socket) || isKept(super.keepSocketAlive(socket))
  }

  override reuseSocket(socket: Duplex, request: ClientRequest): void {
    if (hasHandle(socket)) super.reuseSocket(socket, request)
  }
}

class SecureTunnelAgent extends HttpsAgent {
  readonly #tunnels: Tunnels

  constructor(tunnels: Tunnels, options: HttpsAgentOptions) {
    super(options)
    this.#tunnels = tunnels
  }

  addRequest(request: ClientRequest, options: Options): void {
    ;(HttpsAgent.prototype as unknown as RequestAdding).addRequest.call(this, request, { ...options, [SIGNAL]: endOf(request) })
  }

  override createConnection(options: Options & ConnectionOptions, callback?: Callback): undefined {
    const open: Open = async (target, signal) => secureTunnel(await this.#tunnels.open(target, signal), target, options, signal)
    createConnection(open, options, callback)
  }
}

function createConnection(open: Open, options: Options, callback: Callback = () => {}): void {
  const { host, port, [SIGNAL]: signal = new AbortController().signal } = options
  open({ host: host ?? 'localhost', port: Number(port) }, signal).then(
    (socket) => {
      callback(null, socket)
      // Node reads by a "data" listener, which it adds within this turn, and which does not start what was paused.
      if (socket.isPaused()) socket.resume()
    },
    (error: unknown) => callback(error as Error, undefined as never),
  )
}

/**
 * Aborts when a request is destroyed that has no connection yet. Node tells nobody of that before the connection comes: it keeps the
 * signal of a request to itself, and a request without a connection emits nothing.
 */
function endOf(request: ClientRequest): AbortSignal {
  const controller = new AbortController()
  const destroy = request.destroy
  request.destroy = (error) => {
    controller.abort(error ?? new Error('The request was destroyed'))
    return destroy.call(request, error)
  }
  return controller.signal
}

/** A stream of an HTTP/2 connection has none of the switches of a socket, and needs none. */
function hasHandle(socket: Duplex): boolean {
  return 'setKeepAlive' in socket
}

/** Node's own method says so, though its type does not. */
function isKept(result: unknown): boolean {
  return result !== false
}
