import type { JsonSchema, ObjectSchema, StreamSettings } from '@sluice/core'
import type { SocketOptionSettings, TcpSettings } from './stream-settings.js'
import { tlsSettingsSchema } from './tls-settings-schema.js'

const acceptProxyProtocol: JsonSchema = { enum: [false], description: 'Only false: PROXY protocol headers are not read', default: false }

const tcpSettingsSchema: ObjectSchema<TcpSettings> = {
  type: 'object',
  description: 'Settings of the TCP stream',
  additionalProperties: false,
  properties: {
    header: {
      type: 'object',
      description: 'Disguise of the stream: there is none',
      additionalProperties: false,
      properties: { type: { enum: ['none'], description: 'Only none', default: 'none' } },
    },
    acceptProxyProtocol,
  },
}

function ignored(type: JsonSchema['type'], what: string): JsonSchema {
  return { ...(type === undefined ? {} : { type }), description: `Ignored: Node cannot ${what}` }
}

const sockoptSchema: ObjectSchema<SocketOptionSettings> = {
  type: 'object',
  description: 'Options of the socket; what Node cannot set is ignored',
  additionalProperties: false,
  properties: {
    tcpKeepAliveIdle: {
      type: 'integer',
      description: 'Seconds of silence after which the kernel probes the peer; 0 means the default, negative: never',
      maximum: 32_767,
      default: 60,
    },
    tcpKeepAliveInterval: { type: 'integer', description: 'Ignored: Node probes each second, ten times' },
    mark: ignored('integer', 'mark packets'),
    tcpFastOpen: { ...ignored(undefined, 'open fast'), anyOf: [{ type: 'boolean' }, { type: 'integer' }] },
    tcpFastOpenQueueLength: ignored('integer', 'open fast'),
    tproxy: ignored('string', 'proxy transparently'),
    bindToDevice: ignored('string', 'bind to a device; sendThrough picks a local address'),
    interface: ignored('string', 'bind to a device; sendThrough picks a local address'),
    rxBufSize: ignored('integer', 'size the receive buffer of the kernel'),
    txBufSize: ignored('integer', 'size the send buffer of the kernel'),
    forceBufSize: ignored('boolean', 'size the buffers of the kernel'),
    mptcp: ignored('boolean', 'use several paths'),
    tcpMptcp: ignored('boolean', 'use several paths'),
    tcpNoDelay: { type: 'boolean', description: "Ignored: Nagle's delay is always off" },
    tcpCongestion: ignored('string', 'pick the congestion control'),
    tcpWindowClamp: ignored('integer', 'clamp the window'),
    tcpMaxSeg: ignored('integer', 'limit the segment size'),
    tcpUserTimeout: ignored('integer', 'limit how long data stays unacknowledged'),
    acceptProxyProtocol,
  },
}

/** Schema of `streamSettings`. */
export const streamSettingsSchema: ObjectSchema<StreamSettings> = {
  type: 'object',
  description: 'The byte stream under the protocol',
  additionalProperties: false,
  properties: {
    network: { enum: ['tcp', 'raw'], description: 'What carries the stream; raw is another name of tcp', default: 'tcp' },
    security: { enum: ['none', 'tls'], description: 'What protects the stream', default: 'none' },
    tlsSettings: tlsSettingsSchema,
    tcpSettings: tcpSettingsSchema,
    sockopt: sockoptSchema,
  },
}
