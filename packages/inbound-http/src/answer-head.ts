import type { IncomingMessage } from 'node:http'
import { isProxyError, printable, ProxyError, type HeaderList, type ProxyErrorCode } from '@sluice/core'
import type { InterimAnswer } from './target-answer.js'
import { MAX_FIELDS } from './forwarded-head.js'
import { endToEnd, isChunked } from './hop-by-hop.js'
import { RequestRefusal } from './request-refusal.js'

/**
 * The fields of a target's answer that go on to the client: the end-to-end ones, and the length of its body where that is known.
 *
 * @throws {ProxyError} for an answer that cannot be passed on without changing what it says.
 */
export function answerFields({ statusCode = 0, rawHeaders, headers: { 'content-length': length } }: IncomingMessage): HeaderList {
  // With it would come a client's credentials for us.
  if (statusCode === 407) throw new ProxyError('AUTH', 'The target asks for credentials of a proxy (407)', { phase: 'relay', status: 407 })
  if (statusCode === 101) throw unusable('PROTO', 'it switches protocols (101) unasked')
  if (rawHeaders.length / 2 > MAX_FIELDS) throw unusable('LIMIT', `it has more than ${MAX_FIELDS} fields`)
  if (isChunked(rawHeaders) === undefined) throw unusable('PROTO', 'it has a transfer coding other than chunked')
  // Node reads Content-Disposition in another way once it has seen the length, so that comes last. A 204 has none (RFC 9110 §8.6).
  return [...endToEnd(rawHeaders), ...(length === undefined || statusCode === 204 ? [] : [['Content-Length', length] as const])]
}

/** Why there was no answer that could be passed on, given what Node says. */
export function answerFailure(error: unknown): Error {
  if (isProxyError(error) || error instanceof RequestRefusal) return error
  const { code = '', message } = error as NodeJS.ErrnoException
  if (code === 'ECONNRESET') {
    return new ProxyError('CLOSED', 'The target closed the connection without an answer', { phase: 'relay', cause: error })
  }
  return unusable(code === 'HPE_HEADER_OVERFLOW' ? 'LIMIT' : 'PROTO', printable(message), error)
}

function unusable(code: ProxyErrorCode, why: string, cause?: unknown): ProxyError {
  return new ProxyError(code, `The target gave no answer that can be passed on: ${why}`, { phase: 'relay', cause })
}

type AnswerLine = Pick<IncomingMessage, 'statusCode' | 'statusMessage'>

/** The head of an answer as HTTP/1.1 sends it. */
export function formatAnswerHead({ statusCode, statusMessage }: AnswerLine, fields: HeaderList): Buffer {
  const lines = fields.map(([name, value]) => `${name}: ${value}\r\n`)
  return Buffer.from(`HTTP/1.1 ${statusCode} ${statusMessage}\r\n${lines.join('')}\r\n`, 'latin1')
}

export function formatInterim(answer: InterimAnswer): Buffer {
  return formatAnswerHead(answer, endToEnd(answer.rawHeaders))
}
