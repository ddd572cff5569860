import { once } from 'node:events'
import type { Socket } from 'node:net'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { connect, type TLSSocket } from 'node:tls'
import type { Certificates } from './certificates.js'
import { listen } from './listening.js'
import { rawSocket, rememberRaw } from './reset.js'
import { connectTo } from './tcp-pair.js'

/** Both ends of one TLS connection; `raw` are the TCP sockets under them, in the same order. */
export type TlsPair = [client: TLSSocket, server: TLSSocket] & { readonly raw: readonly [client: Socket, server: Socket] }

export interface TlsPairOptions {
  /** Protocols that the client offers and the server knows. Without it neither knows ALPN. */
  readonly alpn?: readonly string[]
}

/**
 * Two ends of one TLS connection on loopback after its handshake.
 *
 * Both allow half-open use, have Nagle's delay off, and carry an `error` listener. They belong to the caller.
 */
export async function tlsPair(certificates: Certificates, { alpn }: TlsPairOptions = {}): Promise<TlsPair> {
  const accepted: Socket[] = []
  const tls = { ...await certificates.issue(), ...(alpn === undefined ? {} : { alpn }) }
  const listening = await listen((socket) => accepted.push(socket), tls)
  try {
    const client = await connectTlsTo(listening.port, certificates, tls)
    const server = accepted[0] as TLSSocket
    const raw = [rawSocket(client) as Socket, rawSocket(server) as Socket] as const
    return Object.assign<[TLSSocket, TLSSocket], Pick<TlsPair, 'raw'>>([client, server], { raw })
  } finally {
    listening.stop()
  }
}

/** A client's TLS socket to a port of 127.0.0.1, as {@link connectTo} makes them; it trusts the CA and asks for `localhost`. */
export async function connectTlsTo(port: number, certificates: Certificates, { alpn }: TlsPairOptions = {}): Promise<TLSSocket> {
  const raw = await connectTo(port)
  const client = connect({
    socket: raw, servername: 'localhost', ca: certificates.ca.certPem, ...(alpn === undefined ? {} : { ALPNProtocols: [...alpn] }),
  })
  rememberRaw(client, raw)
  // The tickets of TLS 1.3 come after the handshake. A reset that overtakes them would look like a clean end.
  const ticket = once(client, 'session')
  await once(client, 'secureConnect')
  await ticket
  // Node calls 'session' from within a read of OpenSSL: a write at that moment would garble the records.
  await nextTurn()
  return client.on('error', () => {})
}
