import type { JsonSchema, ObjectSchema } from '@sluice/core'
import type { TlsCertificateSettings, TlsSettings } from './stream-settings.js'

const lines: JsonSchema = { type: 'array', items: { type: 'string' }, minItems: 1 }
const protocolName: JsonSchema = { type: 'string', minLength: 1, maxLength: 255 }

const certificateSchema: ObjectSchema<TlsCertificateSettings> = {
  type: 'object',
  description: 'One certificate as PEM, from files or in place',
  additionalProperties: false,
  properties: {
    usage: {
      enum: ['encipherment', 'verify', 'verifyclient', 'issue'],
      description: 'encipherment: our own, which an outbound shows as its client certificate; verify: an authority to trust; '
        + 'verifyclient: an authority whose clients a listener lets in; issue: not done here',
      default: 'encipherment',
    },
    certificateFile: { type: 'string', minLength: 1, description: 'Path of a PEM file: the certificate, then its intermediates' },
    certificate: { ...lines, description: 'The certificate in place, line by line' },
    keyFile: { type: 'string', minLength: 1, description: 'Path of a PEM file with the private key, not encrypted' },
    key: { ...lines, writeOnly: true, description: 'The private key in place, line by line' },
  },
}

function version(which: string, value: string): JsonSchema {
  return { enum: ['1.0', '1.1', '1.2', '1.3'], description: `${which} version of TLS that is spoken`, default: value }
}

/** Schema of `tlsSettings`. */
export const tlsSettingsSchema: ObjectSchema<TlsSettings> = {
  type: 'object',
  description: 'Settings of TLS; without "security": "tls" they are not read',
  additionalProperties: false,
  properties: {
    serverName: {
      type: 'string',
      minLength: 1,
      maxLength: 253,
      description: 'Name to send (SNI) and to look for in the certificate; absent: the host that is dialled. An IP address is never sent',
    },
    alpn: {
      description: 'a list of protocol names, or one text with commas between: those to agree on, most wanted first',
      anyOf: [{ type: 'array', items: protocolName, minItems: 1 }, { type: 'string', minLength: 1 }],
      default: ['h2', 'http/1.1'],
    },
    allowInsecure: { type: 'boolean', description: 'Take any certificate, and warn of each server once', default: false },
    disableSystemRoot: { type: 'boolean', description: 'Trust only the certificates of usage verify', default: false },
    enableSessionResumption: { type: 'boolean', description: 'Ignored: sessions are always resumed where the server allows it' },
    certificates: { type: 'array', items: certificateSchema, description: 'Own certificates and authorities', default: [] },
    pinnedPeerCertificateChainSha256: {
      type: 'array',
      minItems: 1,
      items: { type: 'string', pattern: '^[A-Za-z0-9+/]{43}=$', description: 'SHA-256 in base64' },
      description: "Take only a server whose chain has one of these hashes, made as v2ray's tlsChainHash does; all other checks stay",
    },
    verifyClientCertificate: {
      type: 'boolean',
      description: 'Let in only clients with a certificate of an authority of usage verifyclient (listeners)',
      default: false,
    },
    rejectUnknownSni: {
      type: 'boolean',
      description: 'Break off handshakes that ask for a name which no certificate is for (listeners)',
      default: false,
    },
    minVersion: version('Lowest', '1.2'),
    maxVersion: version('Highest', '1.3'),
    cipherSuites: {
      type: 'string',
      minLength: 1,
      description: "Suites of TLS 1.2 and below by IANA or OpenSSL name, colons between; absent: Node's",
    },
    curvePreferences: {
      description: 'Ignored: the curves are those of Node',
      anyOf: [{ type: 'array', items: { type: 'string' } }, { type: 'string' }],
    },
    fingerprint: { type: 'string', description: 'Ignored: Node cannot imitate the handshake of a browser' },
    masterKeyLog: { type: 'string', description: 'Ignored: secrets of sessions are not written to files' },
    echConfig: { type: 'string', description: 'Ignored: Node cannot encrypt the hello' },
    echDohServer: { type: 'string', description: 'Ignored: Node cannot encrypt the hello' },
    echConfigList: { type: 'string', description: 'Ignored: Node cannot encrypt the hello' },
  },
}
