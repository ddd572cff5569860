import { createSecureContext, type SecureContext } from 'node:tls'
import type { Fault } from '@sluice/core'
import { defaultAuthorities } from './default-authorities.js'
import { readCertificates } from './read-certificates.js'
import type { TlsSettings } from './stream-settings.js'
import { alpnOf, tlsProtocol } from './tls-protocol.js'

/** How an outbound speaks TLS; made once per dialer. */
export interface TlsClientOptions {
  readonly context: SecureContext
  /** @default the host that is dialled */
  readonly serverName?: string
  /** Protocols to offer, most wanted first. */
  readonly alpn: readonly string[]
  /** Take any certificate. */
  readonly allowInsecure: boolean
  /** Hashes of certificate chains in base64, one of which must be the server's; empty: any chain will do. */
  readonly pins: readonly string[]
}

const DEFAULT_ALPN = ['h2', 'http/1.1']

/** @returns `undefined` where something was added to `faults`. */
export function tlsClientOptions(settings: TlsSettings, faults: Fault[]): TlsClientOptions | undefined {
  const found = faults.length
  const { own, authorities } = readCertificates(settings.certificates ?? [], faults)
  const protocol = tlsProtocol(settings, faults)
  if (faults.length > found) return undefined
  return {
    context: createSecureContext({ ...protocol, ...trusted(authorities, settings.disableSystemRoot), ...certificatesOf(own) }),
    ...(settings.serverName === undefined ? {} : { serverName: settings.serverName }),
    alpn: alpnOf(settings) ?? DEFAULT_ALPN,
    allowInsecure: settings.allowInsecure ?? false,
    pins: settings.pinnedPeerCertificateChainSha256 ?? [],
  }
}

function trusted(authorities: readonly string[], disableSystemRoot = false): { ca?: string[] } {
  if (disableSystemRoot) return { ca: [...authorities] }
  return authorities.length === 0 ? {} : { ca: [...defaultAuthorities(), ...authorities] }
}

function certificatesOf(own: readonly { cert: string; key: string }[]): { cert?: string[]; key?: string[] } {
  return own.length === 0 ? {} : { cert: own.map(({ cert }) => cert), key: own.map(({ key }) => key) }
}
