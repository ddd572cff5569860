import type { ProxyErrorCode } from '@sluice/core'

interface FailureFacts {
  /** What may help, told to the client. */
  readonly hint?: string
  /** The error type of `Proxy-Status` that fits (RFC 9209 §2.3). */
  readonly proxyStatus?: string
}

/** What a client is told of a session that did not open, beside the message. */
export const FAILURES: Readonly<Record<ProxyErrorCode, FailureFacts>> = {
  TARGET: { hint: 'ask for a domain name or IP address and a port from 1 to 65535', proxyStatus: 'http_request_error' },
  UNSUPPORTED: { proxyStatus: 'http_request_error' },
  BLOCKED: { hint: 'the rules of this proxy forbid it', proxyStatus: 'http_request_denied' },
  DNS: { hint: 'check the name, and the resolver of the machine that this proxy runs on', proxyStatus: 'dns_error' },
  DIAL: { hint: 'check that it runs, and that nothing between blocks the port', proxyStatus: 'destination_unavailable' },
  TLS: { hint: 'check that it speaks TLS on that port', proxyStatus: 'tls_protocol_error' },
  CERT: { hint: 'check its certificate, and "tlsSettings" of the outbound', proxyStatus: 'tls_certificate_error' },
  ALPN: { hint: 'check "alpn" in "tlsSettings" of the outbound', proxyStatus: 'tls_protocol_error' },
  TIMEOUT: { hint: 'try again; the limit is "handshake" of the policy', proxyStatus: 'connection_timeout' },
  CLOSED: { hint: 'try again', proxyStatus: 'connection_terminated' },
  REFUSED: { hint: 'try again', proxyStatus: 'connection_terminated' },
  PROTO: { hint: 'check that it is an HTTP proxy, and whether it wants TLS', proxyStatus: 'http_protocol_error' },
  LIMIT: { hint: 'check that it is an HTTP proxy', proxyStatus: 'http_response_header_section_size' },
  AUTH: { hint: 'check "users" of the server in the config of this proxy' },
  STATUS: { hint: 'the server itself refuses: its operator knows why' },
  ABORT: { hint: 'try again', proxyStatus: 'connection_terminated' },
  INTERNAL: { hint: 'this is a bug: the log of this proxy says more', proxyStatus: 'proxy_internal_error' },
}
