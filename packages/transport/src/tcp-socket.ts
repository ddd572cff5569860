import { Socket } from 'node:net'
import { TLSSocket } from 'node:tls'

/** Whether it is a bare socket: what its kernel does not take at once is pending, and nothing between keeps bytes. */
export function isTcpSocket(stream: object): stream is Socket {
  return stream instanceof Socket && !(stream instanceof TLSSocket)
}
