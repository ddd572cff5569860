import { defineTransport, type TransportDefinition } from '@sluice/core'
import { SocketDialerFactory } from './socket-dialer-factory.js'
import { SocketListenerFactory } from './socket-listener-factory.js'
import { streamSettingsSchema } from './stream-settings-schema.js'

/** Opens and accepts TCP sockets, with or without TLS, also through another outbound. */
export const transport: TransportDefinition = defineTransport({
  schema: streamSettingsSchema,
  dialers: SocketDialerFactory,
  listeners: SocketListenerFactory,
})
