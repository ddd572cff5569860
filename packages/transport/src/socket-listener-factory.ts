import { isIP } from 'node:net'
import {
  ConfigError, EVENTS, fault, inject, injectable,
  type Fault, type InstanceEvents, type Listener, type ListenerFactory, type ListenerSpec,
} from '@sluice/core'
import { keepAliveIdleMs } from './keep-alive.js'
import { SocketListener } from './socket-listener.js'
import { tlsServerOptions } from './tls-server-options.js'

/** Each costs a descriptor, and some 20 KiB before its first byte. */
const MAX_CONNECTIONS = 10_000

/** Makes TCP listeners, with TLS where the settings say so. */
@injectable()
export class SocketListenerFactory implements ListenerFactory {
  constructor(@inject(EVENTS) private readonly events: InstanceEvents) {}

  create({ listen, port, stream, handshakeMs, maxConnections = MAX_CONNECTIONS, alpn }: ListenerSpec): Listener {
    const faults: Fault[] = []
    const host = listen === 'localhost' ? '127.0.0.1' : listen
    if (isIP(host) === 0) faults.push(fault(['listen'], `must be an IP address or "localhost", not "${listen}"`))
    const tls = stream.security === 'tls' ? tlsServerOptions(stream.tlsSettings ?? {}, faults, alpn) : undefined
    if (faults.length > 0) throw new ConfigError(faults)
    const options = { host, port, keepAliveIdleMs: keepAliveIdleMs(stream), handshakeMs, maxConnections, ...(tls && { tls }) }
    return new SocketListener(options, this.events)
  }
}
