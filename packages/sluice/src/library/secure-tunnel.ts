import { isIP } from 'node:net'
import { once } from 'node:events'
import { connect, type ConnectionOptions, type TLSSocket } from 'node:tls'
import { ProxyError, formatEndpoint, printable, type Connection, type Endpoint } from '@sluice/core'
import { limitSignal, linkRawSocket } from '@sluice/transport'

const HANDSHAKE_MS = 10_000

/**
 * Puts TLS to the target on a tunnel, with Node's own options. Resolves once the certificate was accepted.
 *
 * @throws {ProxyError} TIMEOUT after 10 s. @throws {Error} what Node says. @throws `signal.reason` as it is. The tunnel is then gone.
 */
export async function secureTunnel(
  tunnel: Connection, target: Endpoint, options: ConnectionOptions, signal: AbortSignal,
): Promise<TLSSocket> {
  using limit = limitSignal(signal, HANDSHAKE_MS, () => tooLong(target))
  const servername = options.servername ?? (isIP(target.host) === 0 ? target.host : '')
  const socket = connect({ ...options, host: target.host, servername, socket: tunnel })
  linkRawSocket(socket, tunnel)
  try {
    await once(socket, 'secureConnect', { signal: limit.signal })
    return socket
  } catch (error) {
    socket.on('error', () => {})
    tunnel.destroy()
    socket.destroy()
    limit.signal.throwIfAborted()
    throw error
  }
}

function tooLong(target: Endpoint): ProxyError {
  const message = `Cannot set up TLS with ${printable(formatEndpoint(target))}: no answer within ${HANDSHAKE_MS / 1000} s`
  return new ProxyError('TIMEOUT', message, { phase: 'tls' })
}
