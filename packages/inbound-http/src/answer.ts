import { STATUS_CODES } from 'node:http'
import { answerTo, printable, toProxyError, type HeaderList, type ProxyErrorCode } from '@sluice/core'
import { CHALLENGE } from './basic-auth.js'
import { FAILURES } from './failure-table.js'
import type { RequestRefusal } from './request-refusal.js'

/** The answer that opens a tunnel. It has no fields: what follows is the target's. */
export const ESTABLISHED = 'HTTP/1.1 200 Connection established\r\n\r\n'

/** The answer to a request that is not served. The connection ends after it. */
export function formatRefusal({ status, code, message, hint }: RequestRefusal): string {
  return formatAnswer(status, status === 407 ? [CHALLENGE] : [], textOf(code, message, hint))
}

/**
 * The answer to a request whose session did not open: the status by `answerTo`, and what failed in words. An upstream's 407 is
 * never passed on as one: the client would send it the credentials that it has for us.
 */
export function formatFailure(error: unknown): string {
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
  return formatAnswer(answerTo(failure).http, [['Proxy-Status', parameters.join('; ')]], text)
}

function textOf(code: ProxyErrorCode, message: string, hint: string | undefined): string {
  return hint === undefined ? `${code}: ${message}.` : `${code}: ${message}.\nHint: ${hint}.`
}

function formatAnswer(status: number, fields: HeaderList, text: string): string {
  const body = `${text}\n`
  const lines = [
    ['Content-Type', 'text/plain; charset=utf-8'], ['Content-Length', Buffer.byteLength(body)], ...fields, ['Connection', 'close'],
  ].map(([name, value]) => `${name}: ${value}\r\n`)
  return `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? 'Unknown'}\r\n${lines.join('')}\r\n${body}`
}

/** A string of RFC 8941 §3.3.3: visible ASCII and spaces. */
function formatString(text: string): string {
  return `"${text.replace(/[^\x20-\x7e]/g, '?').replace(/["\\]/g, '\\$&')}"`
}
