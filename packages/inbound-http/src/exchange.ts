import type { ClientRequest, IncomingMessage, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import { ProxyError } from '@sluice/core'
import { abort, deadline } from '@sluice/transport'
import { answerFailure, answerFields, formatInterim } from './answer-head.js'
import type { ForwardedRequest } from './forwarded-request.js'
import { answerTo, clientLeft, passOn } from './target-answer.js'

export interface Exchange {
  readonly incoming: IncomingMessage
  readonly response: ServerResponse
  readonly outgoing: ClientRequest
  readonly forwarded: ForwardedRequest
  /** How long an answer may take to begin once the client has ended its side, in ms. */
  readonly downlinkOnlyMs: number
  /** Asked when the answer begins: whether the connection ends behind it. */
  readonly isLast: () => boolean
}

/**
 * Sends the body of a request up and the answer down, and resolves when the client has all of it. What breaks on one side is broken
 * on the other, never ended. An answer that comes before all of the request is the last on its connection.
 *
 * @throws why there is no answer, or not all of it: then the client's connection is cut.
 */
export async function exchange({ incoming, response, outgoing, forwarded, downlinkOnlyMs, isLast }: Exchange): Promise<void> {
  const { socket } = incoming
  const stopWatching = limitHalfClosed(socket, downlinkOnlyMs, forwarded)
  if (!incoming.complete) flushHead(outgoing)
  incoming.pipe(outgoing)
  try {
    const { answer } = await answerTo(outgoing, forwarded, (interim) => {
      if (incoming.httpVersion === '1.0') return
      if (interim.statusCode === 100) response.writeContinue()
      else socket.write(formatInterim(interim))
    })
    stopWatching()
    const fields = answerFields(answer)
    response.sendDate = false
    response.shouldKeepAlive &&= incoming.complete && !isLast()
    response.writeHead(answer.statusCode ?? 0, answer.statusMessage, fields.flat())
    flushHead(response)
    await passOn(answer, outgoing, response, forwarded)
    await finish(response)
  } catch (error) {
    if (!response.headersSent) throw answerFailure(error)
    abort(socket, error as Error)
    throw error
  } finally {
    stopWatching()
    incoming.unpipe(outgoing)
  }
}

/** Sends a head before there is anything of the body. Node's own way to do that changes bytes beyond ASCII. */
function flushHead(message: ClientRequest | ServerResponse): void {
  message.write('', 'latin1')
}

/** A client that has ended its side waits for the answer, or has left: nobody knows, so it has to begin in time. */
function limitHalfClosed(socket: Duplex, ms: number, forwarded: ForwardedRequest): () => void {
  let cancel = (): void => {}
  const onEnd = (): void => {
    const why = `The target gave no answer within ${ms} ms after the end of the client`
    cancel = deadline(Math.max(ms, 1), () => forwarded.abort(new ProxyError('TIMEOUT', why, { phase: 'relay' })))
  }
  if (socket.readableEnded) onEnd()
  else socket.once('end', onEnd)
  return () => {
    cancel()
    socket.off('end', onEnd)
  }
}

function finish(response: ServerResponse): Promise<void> {
  return new Promise((resolve, reject) => {
    if (response.destroyed) return reject(clientLeft())
    response.once('close', () => {
      if (response.writableFinished) resolve()
      else reject(clientLeft())
    })
    response.end()
  })
}
