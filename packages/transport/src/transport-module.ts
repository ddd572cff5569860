import { defineTransport, type TransportDefinition } from '@sluice/core'
import { SocketDialerFactory } from './socket-dialer-factory.js'
import { SocketListenerFactory } from './socket-listener-factory.js'
import { SystemResolver } from './system-resolver.js'
import { streamSettingsSchema } from './stream-settings-schema.js'

/** Opens and accepts TCP sockets, with or without TLS, also through another outbound, and resolves names as the system does. */
export const transport: TransportDefinition = defineTransport({
  schema: streamSettingsSchema,
  dialers: SocketDialerFactory,
  listeners: SocketListenerFactory,
  resolver: SystemResolver,
})
