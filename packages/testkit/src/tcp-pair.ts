import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { listen } from './listening.js'

/** Both ends of one connection. They belong to the caller, who ends or destroys both. */
export type TcpPair = [client: Socket, server: Socket]

/**
 * Two ends of one TCP connection on loopback.
 *
 * Both allow half-open use, have Nagle's delay off, and carry an `error` listener, so that a reset does not end the process.
 *
 * @example
 * ```ts
 * import { tcpPair } from '@sluice/testkit'
 *
 * const [client, server] = await tcpPair()
 * client.end('request')
 * ```
 */
export async function tcpPair(): Promise<TcpPair> {
  const accepted: Socket[] = []
  const listening = await listen((socket) => accepted.push(socket))
  const client = await connectTo(listening.port)
  // The kernel may finish the connect before Node has accepted it.
  while (accepted.length === 0) await new Promise(setImmediate)
  listening.stop()
  return [client, accepted[0] as Socket]
}

/** A client's socket to a port of 127.0.0.1, with half-open use allowed, no delay and an `error` listener. */
export async function connectTo(port: number): Promise<Socket> {
  const socket = connect({ host: '127.0.0.1', port, allowHalfOpen: true, noDelay: true })
  await once(socket, 'connect')
  return socket.on('error', () => {})
}
