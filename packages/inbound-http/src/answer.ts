import { STATUS_CODES } from 'node:http'
import { answerTo, printable, toProxyError, type HeaderList, type ProxyErrorCode } from '@sluice/core'
import { CHALLENGE } from './basic-auth.js'
import { FAILURES } from './failure-table.js'
import type { RequestRefusal } from './request-refusal.js'

/** The answer that opens a tunnel. It has no fields: what follows is the target's. */
export const ESTABLISHED = 'HTTP/1.1 200 Connection established\r\n\r\n'

/** An answer that opens no tunnel, in whichever version of HTTP. */
export interface Answer {
  readonly status: number
  readonly fields: HeaderList
  readonly body: string
}

/** The answer to a request that is not served, as HTTP/1.1 sends it. The connection ends after it. */
export function formatRefusal(refusal: RequestRefusal): string {
  return formatAnswer(refusalAnswer(refusal))
}

/** The answer to a request whose session did not open, as HTTP/1.1 sends it. The connection ends after it. */
export function formatFailure(error: unknown): string {
  return formatAnswer(failureAnswer(error))
}

export function refusalAnswer({ status, code, message, hint }: RequestRefusal): Answer {
  return answerOf(status, status === 407 ? [CHALLENGE] : [], textOf(code, message, hint))
}

/**
 * The answer to a request whose session did not open: the status by `answerTo`, and what failed in words. An upstream's 407 is
 * never passed on as one: the client would send it the credentials that it has for us.
 */
export function failureAnswer(error: unknown): Answer {
  const failure = toProxyError(error)
  const { code, status, attempts } = failure
  const { hint, proxyStatus } = FAILURES[code]
  // What a bug throws may hold anything, so its text stays in the log.
  const message = code === 'INTERNAL' ? 'This proxy failed' : printable(failure.message)
  const causes = [...new Set(attempts.map((attempt) => `- ${attempt.code}: ${printable(attempt.message)}`))]
  const parameters = [
    'sluice',
    ...(proxyStatus === undefined ? [] : [`error=${proxyStatus}`]),
    ...(status === undefined ? [] : [`received-status=${status}`]),
    `details=${formatString(message)}`,
  ]
  const text = [textOf(code, message, hint), ...causes].join('\n')
  return answerOf(answerTo(failure).http, [['Proxy-Status', parameters.join('; ')]], text)
}

function textOf(code: ProxyErrorCode, message: string, hint: string | undefined): string {
  return hint === undefined ? `${code}: ${message}.` : `${code}: ${message}.\nHint: ${hint}.`
}

function answerOf(status: number, fields: HeaderList, text: string): Answer {
  const body = `${text}\n`
  const length = String(Buffer.byteLength(body))
  return { status, fields: [['Content-Type', 'text/plain; charset=utf-8'], ['Content-Length', length], ...fields], body }
}

function formatAnswer({ status, fields, body }: Answer): string {
  const lines = [...fields, ['Connection', 'close']].map(([name, value]) => `${name}: ${value}\r\n`)
  return `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? 'Unknown'}\r\n${lines.join('')}\r\n${body}`
}

/** A string of RFC 8941 §3.3.3: visible ASCII and spaces. */
function formatString(text: string): string {
  return `"${text.replace(/[^\x20-\x7e]/g, '?').replace(/["\\]/g, '\\$&')}"`
}
