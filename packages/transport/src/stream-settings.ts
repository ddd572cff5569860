import type {} from '@sluice/core'

/** One certificate, from files or in place, always as PEM. */
export interface TlsCertificateSettings {
  /**
   * - `encipherment`: our own, with its key: a listener's, or an outbound's client certificate.
   * - `verify`: an authority that is trusted besides the system's.
   * - `verifyclient`: an authority whose clients a listener lets in.
   * - `issue`: refused by listeners, which issue none; ignored by outbounds.
   *
   * @default encipherment
   */
  readonly usage?: 'encipherment' | 'verify' | 'verifyclient' | 'issue'
  /** Path of a PEM file: the certificate first, then its intermediates. Wins over `certificate`. */
  readonly certificateFile?: string
  /** The same in place, line by line. */
  readonly certificate?: readonly string[]
  /** Path of a PEM file with the private key, not encrypted. Wins over `key`. */
  readonly keyFile?: string
  /** The same in place, line by line. */
  readonly key?: readonly string[]
}

export type TlsVersion = '1.0' | '1.1' | '1.2' | '1.3'

/** How TLS is spoken where `security` is `tls`. Keys marked as ignored are accepted because configs of others have them. */
export interface TlsSettings {
  /** Name to send (SNI) and to look for in the certificate. @default the host that is dialled; an IP address is never sent */
  readonly serverName?: string
  /**
   * Protocols to agree on, most wanted first; a list, or one text with commas.
   * @default h2, http/1.1; a listener: what its protocol is served over
   */
  readonly alpn?: string | readonly string[]
  /** Take any certificate; each server is warned of once. @default false */
  readonly allowInsecure?: boolean
  /** Trust only the certificates of usage `verify`. @default false */
  readonly disableSystemRoot?: boolean
  /** Ignored: sessions are always resumed where the server allows it. */
  readonly enableSessionResumption?: boolean
  readonly certificates?: readonly TlsCertificateSettings[]
  /** Take only a server whose chain has one of these hashes, besides all other checks. */
  readonly pinnedPeerCertificateChainSha256?: readonly string[]
  /** Let in only clients with a certificate of an authority of usage `verifyclient`. @default false */
  readonly verifyClientCertificate?: boolean
  /** Break off handshakes that ask for a name which no certificate is for. @default false */
  readonly rejectUnknownSni?: boolean
  /** @default 1.2 */
  readonly minVersion?: TlsVersion
  /** @default 1.3 */
  readonly maxVersion?: TlsVersion
  /** Suites of TLS 1.2 and below by their IANA or OpenSSL names, with colons between. @default Node's */
  readonly cipherSuites?: string
  /** Ignored. */
  readonly curvePreferences?: string | readonly string[]
  /** Ignored. */
  readonly fingerprint?: string
  /** Ignored. */
  readonly masterKeyLog?: string
  /** Ignored. */
  readonly echConfig?: string
  /** Ignored. */
  readonly echDohServer?: string
  /** Ignored. */
  readonly echConfigList?: string
}

export interface TcpSettings {
  /** Only `none`: a proxy in disguise is no proxy that others can use. */
  readonly header?: { readonly type?: 'none' }
  /** Only `false`. */
  readonly acceptProxyProtocol?: boolean
}

/** Options of the socket itself. What Node cannot set is accepted and ignored. */
export interface SocketOptionSettings {
  /** Seconds of silence after which the kernel probes the peer; negative: never. @default 60 */
  readonly tcpKeepAliveIdle?: number
  /** Ignored: Node probes each second. */
  readonly tcpKeepAliveInterval?: number
  /** Ignored. */
  readonly mark?: number
  /** Ignored. */
  readonly tcpFastOpen?: boolean | number
  /** Ignored. */
  readonly tcpFastOpenQueueLength?: number
  /** Ignored. */
  readonly tproxy?: string
  /** Ignored. */
  readonly bindToDevice?: string
  /** Ignored. */
  readonly interface?: string
  /** Ignored. */
  readonly rxBufSize?: number
  /** Ignored. */
  readonly txBufSize?: number
  /** Ignored. */
  readonly forceBufSize?: boolean
  /** Ignored. */
  readonly mptcp?: boolean
  /** Ignored. */
  readonly tcpMptcp?: boolean
  /** Ignored. */
  readonly tcpNoDelay?: boolean
  /** Ignored. */
  readonly tcpCongestion?: string
  /** Ignored. */
  readonly tcpWindowClamp?: number
  /** Ignored. */
  readonly tcpMaxSeg?: number
  /** Ignored. */
  readonly tcpUserTimeout?: number
  /** Only `false`. */
  readonly acceptProxyProtocol?: boolean
}

declare module '@sluice/core' {
  interface StreamSettings {
    /** `raw` is another name of `tcp`. @default tcp */
    readonly network?: 'tcp' | 'raw'
    /** @default none */
    readonly security?: 'none' | 'tls'
    /** Read where `security` is `tls`. */
    readonly tlsSettings?: TlsSettings
    readonly tcpSettings?: TcpSettings
    readonly sockopt?: SocketOptionSettings
  }
}
