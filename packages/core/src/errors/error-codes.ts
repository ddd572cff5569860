/**
 * When the same session may be tried again:
 *
 * - `never`: no other server would do better.
 * - `next`: at once on the next server; on the same one only after a round.
 * - `other`: once on each other server, never again on the same.
 * - `connection`: at once on another connection, the same server included: it did not process the request.
 */
export type Again = 'never' | 'next' | 'other' | 'connection'

interface CodeFacts {
  readonly when: string
  readonly again: Again
  /** REP of RFC 1928 §6 that a SOCKS inbound answers before the tunnel opened. */
  readonly socks: number
  /** Status that an HTTP inbound answers before the tunnel opened. */
  readonly http: number
}

/** What a session can fail of, and what follows. docs/errors.md has the same table for readers; a test holds them together. */
export const ERROR_CODES = {
  TARGET: { when: 'the host or port of the target cannot be sent', again: 'never', socks: 8, http: 400 },
  UNSUPPORTED: { when: 'UDP, or a command or scheme that is not served', again: 'never', socks: 7, http: 501 },
  BLOCKED: { when: 'refused by a blackhole, a rule or the loop guard', again: 'never', socks: 2, http: 403 },
  DNS: { when: 'the name of the server cannot be resolved', again: 'next', socks: 4, http: 502 },
  DIAL: { when: 'the address of the server cannot be reached', again: 'next', socks: 5, http: 502 },
  TLS: { when: 'the TLS handshake was broken off', again: 'next', socks: 1, http: 502 },
  CERT: { when: 'the certificate of the server was refused', again: 'other', socks: 1, http: 502 },
  ALPN: { when: 'no protocol could be agreed on, or one that cannot be spoken', again: 'other', socks: 1, http: 502 },
  TIMEOUT: { when: 'the handshake limit ran out', again: 'next', socks: 6, http: 504 },
  CLOSED: { when: 'the server closed before it answered', again: 'next', socks: 1, http: 502 },
  REFUSED: { when: 'the server did not process the request', again: 'connection', socks: 1, http: 502 },
  PROTO: { when: 'the answer is not HTTP as it should be', again: 'other', socks: 1, http: 502 },
  LIMIT: { when: 'the answer is larger than allowed', again: 'other', socks: 1, http: 502 },
  AUTH: { when: 'the server refuses the credentials, or wants some', again: 'other', socks: 2, http: 502 },
  STATUS: { when: 'the server refuses with a status', again: 'other', socks: 1, http: 502 },
  ABORT: { when: 'the open tunnel was cut', again: 'never', socks: 1, http: 502 },
  INTERNAL: { when: 'a bug of ours', again: 'never', socks: 1, http: 500 },
} as const satisfies Record<string, CodeFacts>

/** One of the keys of {@link ERROR_CODES}, and part of the contract: a message may change, a code does not. */
export type ProxyErrorCode = keyof typeof ERROR_CODES
