import { defineTransport, fault, type Fault, type StreamSettings, type TransportDefinition } from '@sluice/core'
import { SocketDialerFactory } from './socket-dialer-factory.js'
import { SocketListenerFactory } from './socket-listener-factory.js'
import { SystemResolver } from './system-resolver.js'
import { streamSettingsSchema } from './stream-settings-schema.js'

/** Opens and accepts TCP sockets, with or without TLS, also through another outbound, and resolves names as the system does. */
export const transport: TransportDefinition = defineTransport({
  schema: streamSettingsSchema,
  checkOutbound: insecure,
  dialers: SocketDialerFactory,
  listeners: SocketListenerFactory,
  resolver: SystemResolver,
})

/** The log says it again of each server, when it is dialled. */
function insecure({ security, tlsSettings }: StreamSettings): Fault[] {
  const { allowInsecure = false, pinnedPeerCertificateChainSha256: pins = [] } = tlsSettings ?? {}
  if (security !== 'tls' || !allowInsecure || pins.length > 0) return []
  const message = 'lets anybody on the way read along: no certificate is checked'
  const hint = 'name the authority in "certificates", or the chain in "pinnedPeerCertificateChainSha256"'
  return [fault(['tlsSettings', 'allowInsecure'], message, { severity: 'warning', hint })]
}
