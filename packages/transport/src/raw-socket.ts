import type { Duplex } from 'node:stream'
import type { TLSSocket } from 'node:tls'

const rawSockets = new WeakMap<TLSSocket, Duplex>()

/**
 * Notes which stream is under a TLS socket, for `abort`: Node cannot reset a TLS socket, and does not tell what is under it.
 * To be called by whoever puts TLS on a connection, once.
 */
export function linkRawSocket(tls: TLSSocket, raw: Duplex): void {
  rawSockets.set(tls, raw)
}

export function rawSocketOf(tls: TLSSocket): Duplex | undefined {
  return rawSockets.get(tls)
}
