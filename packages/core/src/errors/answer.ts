import { ERROR_CODES } from './error-codes.js'
import { toProxyError } from './proxy-error.js'

/** What to tell a client whose session did not open. */
export interface Answer {
  /** REP of RFC 1928 §6. */
  readonly socks: number
  readonly http: number
}

const SOCKS_BY_STATUS: Readonly<Record<number, number>> = { 403: 2, 451: 2, 404: 4, 502: 4, 504: 6 }

/** The truthful answer to a failure of any kind: the table of docs/errors.md. */
export function answerTo(error: unknown): Answer {
  const { code, status } = toProxyError(error)
  const { socks, http } = ERROR_CODES[code]
  if (code !== 'STATUS' || status === undefined) return { socks, http }
  return { socks: SOCKS_BY_STATUS[status] ?? socks, http }
}
