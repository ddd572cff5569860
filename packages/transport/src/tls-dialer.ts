import { once } from 'node:events'
import { isIP } from 'node:net'
import type { Duplex } from 'node:stream'
import { checkServerIdentity, connect, type TLSSocket } from 'node:tls'
import { formatEndpoint, printable, ProxyError, type Destination, type Dialer, type DialOptions, type InstanceEvents } from '@sluice/core'
import { chainHashes } from './certificate-chain-hash.js'
import { ignoreErrors } from './ignore-errors.js'
import { linkRawSocket } from './raw-socket.js'
import type { TlsClientOptions } from './tls-client-options.js'
import { tlsFailure } from './tls-failure.js'
import { TlsSessionCache } from './tls-session-cache.js'

// Enough for any list of servers; beyond it, a dialer of arbitrary targets would remember them all.
const MAX_WARNED = 1_000

/**
 * Puts TLS on what another dialer dials: a TCP connection, or a tunnel through another outbound.
 *
 * The certificate is checked against `serverName`, or else the host that is dialled, before any byte is handed over; only the
 * settings' `allowInsecure` changes that, never `NODE_TLS_REJECT_UNAUTHORIZED`. Later handshakes with the same server resume.
 */
export class TlsDialer implements Dialer {
  readonly #under: Dialer
  readonly #options: TlsClientOptions
  readonly #events: InstanceEvents
  readonly #sessions = new TlsSessionCache()
  readonly #warned = new Set<string>()

  constructor(under: Dialer, options: TlsClientOptions, events: InstanceEvents) {
    this.#under = under
    this.#options = options
    this.#events = events
  }

  async dial(to: Destination, options: DialOptions): Promise<TLSSocket> {
    const raw = await this.#under.dial(to, options)
    try {
      return await this.#secure(raw, to, options)
    } catch (error) {
      // Ends the TLS socket on top as well.
      raw.destroy()
      options.signal.throwIfAborted()
      throw error
    }
  }

  async #secure(raw: Duplex, to: Destination, { alpn = this.#options.alpn, signal, onPhase }: DialOptions): Promise<TLSSocket> {
    const server = printable(formatEndpoint(to))
    onPhase?.('tls')
    const socket = this.#connect(raw, to.host, server, alpn)
    try {
      await once(socket, 'secureConnect', { signal })
    } catch (error) {
      signal.throwIfAborted()
      this.#sessions.delete(server)
      throw tlsFailure(error as Error, server, isRefused(socket))
    }
    signal.throwIfAborted()
    this.#checkPins(socket, server)
    checkProtocol(socket, server, alpn)
    this.#warnOnce(server)
    return socket
  }

  #connect(raw: Duplex, host: string, server: string, alpn: readonly string[]): TLSSocket {
    const { context, serverName, allowInsecure } = this.#options
    const name = (serverName ?? host).replace(/\.$/, '')
    const session = this.#sessions.get(server)
    const socket = connect({
      socket: raw,
      secureContext: context,
      // RFC 6066 §3: never an IP address.
      servername: isIP(name) === 0 ? name : '',
      checkServerIdentity: (_host, certificate) => checkServerIdentity(name, certificate),
      // Said in any case: left out, an environment variable would decide.
      rejectUnauthorized: !allowInsecure,
      ALPNProtocols: [...alpn],
      ...(session === undefined ? {} : { session }),
    })
    ignoreErrors(socket)
    linkRawSocket(socket, raw)
    // With TLS 1.3 it comes after the handshake. Node holds it back until the certificate was accepted.
    socket.once('session', (ticket) => this.#sessions.set(server, ticket))
    return socket
  }

  /** A resumed session was checked when it began. */
  #checkPins(socket: TLSSocket, server: string): void {
    const { pins } = this.#options
    if (pins.length === 0 || socket.isSessionReused()) return
    if (chainHashes(socket.getPeerCertificate(true)).some((hash) => pins.includes(hash))) return
    this.#sessions.delete(server)
    socket.removeAllListeners('session')
    const message = `Cannot trust the certificate of ${server}: its chain has none of the pinned hashes`
    throw new ProxyError('CERT', message, { phase: 'tls', server })
  }

  #warnOnce(server: string): void {
    const { allowInsecure, pins } = this.#options
    if (!allowInsecure || pins.length > 0 || this.#warned.has(server) || this.#warned.size >= MAX_WARNED) return
    this.#warned.add(server)
    const danger = 'anybody on the way can read along'
    this.#events.log('warning', `The certificate of ${server} is not checked (tlsSettings.allowInsecure): ${danger}`)
  }
}

/** Whether it was us who refused: Node notes why before it breaks off. */
function isRefused(socket: TLSSocket): boolean {
  return Boolean(socket.authorizationError)
}

/** A server may pick only what was offered (RFC 7301 §3.1); none at all is for the caller to judge. */
function checkProtocol({ alpnProtocol }: TLSSocket, server: string, offered: readonly string[]): void {
  if (typeof alpnProtocol !== 'string' || offered.includes(alpnProtocol)) return
  const message = `Cannot agree on a protocol with ${server}: it picked "${printable(alpnProtocol)}", which was not offered`
  throw new ProxyError('ALPN', message, { phase: 'tls', server })
}
