import type { ProxyErrorCode } from './error-codes.js'
import { printable } from './printable.js'

/** Whose doing an error is: the client's, the upstream's or the target's, or our own. */
export type Side = 'downstream' | 'upstream' | 'internal'

/** What was going on when it failed. */
export type Phase = 'dns' | 'dial' | 'tls' | 'connect' | 'relay' | 'handshake'

/** What is known of a failure beside its code and message; what is left out is absent on the error, but for `side` and `attempts`. */
export interface ProxyErrorOptions {
  /** @default upstream */
  readonly side?: Side
  readonly phase?: Phase
  /** `host:port` of the server concerned. */
  readonly server?: string
  /** The HTTP status that the server answered. */
  readonly status?: number
  /** The server asked not to be called again for this long. */
  readonly retryAfterMs?: number
  /** The failures of each single attempt, where there were several. */
  readonly attempts?: readonly ProxyError[]
  readonly cause?: unknown
}

const BRAND = Symbol.for('@sluice/ProxyError')

/**
 * Why a session failed. Wrapped once, where knowledge is added; `cause` keeps what was underneath. A message never holds a
 * credential, and text from a peer only through {@link printable}.
 */
export class ProxyError extends Error {
  override readonly name = 'ProxyError'
  readonly code: ProxyErrorCode
  readonly side: Side
  // Declared, not defined: what is not known is absent, also where the error is printed.
  declare readonly phase?: Phase
  declare readonly server?: string
  declare readonly status?: number
  declare readonly retryAfterMs?: number
  readonly attempts: readonly ProxyError[]

  constructor(code: ProxyErrorCode, message: string, options: ProxyErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    this.side = options.side ?? 'upstream'
    if (options.phase !== undefined) this.phase = options.phase
    if (options.server !== undefined) this.server = options.server
    if (options.status !== undefined) this.status = options.status
    if (options.retryAfterMs !== undefined) this.retryAfterMs = options.retryAfterMs
    this.attempts = options.attempts ?? []
    Object.defineProperty(this, BRAND, { value: true })
  }
}

/** Recognises a `ProxyError` of any copy of this package. */
export function isProxyError(value: unknown): value is ProxyError {
  return value instanceof Error && (value as { [BRAND]?: unknown })[BRAND] === true
}

/** The error itself if it is a `ProxyError`; anything else is a bug of ours and becomes INTERNAL. */
export function toProxyError(value: unknown): ProxyError {
  if (isProxyError(value)) return value
  const text = printable(value instanceof Error ? value.message : String(value))
  return new ProxyError('INTERNAL', `Unexpected failure: ${text}`, { side: 'internal', cause: value })
}
