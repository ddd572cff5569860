import type { ClientRequest, IncomingMessage } from 'node:http'
import type { Duplex, Writable } from 'node:stream'
import { ProxyError } from '@sluice/core'
import type { ForwardedRequest } from './forwarded-request.js'

/** What a target may send before its answer (RFC 9110 §15.2). */
const MAX_INTERIM = 16

/** What an interim answer (1xx) says. */
export type InterimAnswer = Required<Pick<IncomingMessage, 'rawHeaders' | 'statusCode' | 'statusMessage'>>

export interface TargetAnswer {
  readonly answer: IncomingMessage
  /** The way to the target, if it switched protocols. */
  readonly tunnel?: Duplex
}

/**
 * Waits for the head of the answer. A target that sends too many interim answers before it is cut.
 * @throws what Node says, where there is none.
 */
export function answerTo(
  outgoing: ClientRequest, { cut }: ForwardedRequest, onInterim: (answer: InterimAnswer) => void,
): Promise<TargetAnswer> {
  let count = 0
  outgoing.on('information', (answer: InterimAnswer) => {
    count++
    if (count <= MAX_INTERIM) onInterim(answer)
    else outgoing.destroy(new ProxyError('LIMIT', `The target sent more than ${MAX_INTERIM} interim answers`, { phase: 'relay' }))
  })
  const answered = new Promise<TargetAnswer>((resolve, reject) => {
    outgoing.once('response', (answer) => resolve({ answer }))
    outgoing.once('upgrade', (answer, tunnel, head) => {
      if (head.length > 0) tunnel.unshift(head)
      resolve({ answer, tunnel })
    })
    outgoing.on('error', reject)
    outgoing.once('close', () => reject(new Error('it has no end')))
  })
  return Promise.race([answered, cut])
}

/**
 * Passes the body of an answer on and resolves at its end, which the sink is not told. After a rejection the sink got nothing more, and
 * is not to be ended in order.
 */
export function passOn(answer: IncomingMessage, outgoing: ClientRequest, sink: Writable, { cut }: ForwardedRequest): Promise<void> {
  const passed = new Promise<void>((resolve, reject) => {
    // At once: where only the end of the connection ends a body, Node tells of an end after an error, too.
    const fail = (error: Error): void => {
      answer.unpipe(sink)
      reject(error)
    }
    const onSinkClosed = (): void => fail(clientLeft())
    if (sink.destroyed) return onSinkClosed()
    outgoing.on('error', fail)
    answer.on('error', fail)
    sink.once('close', onSinkClosed)
    answer.once('end', () => {
      sink.off('close', onSinkClosed)
      resolve()
    })
    answer.pipe(sink, { end: false })
  })
  return Promise.race([passed, cut])
}

export function clientLeft(): ProxyError {
  return new ProxyError('ABORT', 'The client left before it had the answer', { side: 'downstream', phase: 'relay' })
}
