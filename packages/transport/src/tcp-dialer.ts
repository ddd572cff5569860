import { once } from 'node:events'
import { connect, isIP, type Socket, type TcpNetConnectOpts } from 'node:net'
import { formatEndpoint, isProxyError, ProxyError, type Destination, type Dialer, type DialOptions, type Endpoint } from '@sluice/core'
import { dialFailure } from './dial-failure.js'
import { ignoreErrors } from './ignore-errors.js'
import { leadsTo } from './leads-to.js'

// RFC 8305 §5: how long one address may take before the next is tried.
const ATTEMPT_DELAY_MS = 250

export interface TcpDialerOptions {
  /** Local IP address to dial from; only addresses of its family are dialled. */
  readonly localAddress?: string
  /** Silence after which the kernel probes the peer; 0 = never. @default 60_000 */
  readonly keepAliveIdleMs?: number
  /** Where nothing is dialled. @default none */
  readonly ownAddresses?: Iterable<Endpoint>
}

/**
 * Opens plain TCP connections. A name is resolved by the system; of several addresses, IPv6 and IPv4 take turns and the first that
 * answers is taken (RFC 8305).
 */
export class TcpDialer implements Dialer {
  readonly #options: Omit<TcpNetConnectOpts, 'port'>
  readonly #ownAddresses: Iterable<Endpoint>

  constructor({ localAddress, keepAliveIdleMs = 60_000, ownAddresses = [] }: TcpDialerOptions = {}) {
    this.#ownAddresses = ownAddresses
    this.#options = {
      allowHalfOpen: true,
      noDelay: true,
      keepAlive: keepAliveIdleMs > 0,
      keepAliveInitialDelay: keepAliveIdleMs,
      autoSelectFamily: true,
      autoSelectFamilyAttemptTimeout: ATTEMPT_DELAY_MS,
      ...(localAddress === undefined ? {} : { localAddress, family: isIP(localAddress) }),
    }
  }

  async dial(to: Destination, { signal }: DialOptions): Promise<Socket> {
    signal.throwIfAborted()
    if (to.network !== 'tcp') {
      throw new ProxyError('UNSUPPORTED', 'Cannot dial UDP: only TCP is carried', { side: 'internal', phase: 'dial' })
    }
    const socket = connect({ ...this.#options, host: to.host, port: to.port })
    ignoreErrors(socket)
    try {
      await once(socket, 'connect', { signal })
      signal.throwIfAborted()
      this.#assertNoLoop(socket, to)
      return socket
    } catch (error) {
      socket.destroy()
      signal.throwIfAborted()
      if (isProxyError(error)) throw error
      throw dialFailure(error as NodeJS.ErrnoException, to)
    }
  }

  /** Only now is it known where a name leads. Nothing was sent yet, and the listener sees a client that leaves at once. */
  #assertNoLoop({ remoteAddress: host = '', remotePort: port = 0 }: Socket, to: Destination): void {
    if (!leadsTo(this.#ownAddresses, { host, port })) return
    const message = `Cannot dial ${formatEndpoint(to)}: this proxy itself listens there, and the session would go round in a circle`
    throw new ProxyError('BLOCKED', message, { side: 'internal', phase: 'dial' })
  }
}
