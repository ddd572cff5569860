import type { ClientRequest, IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import type { Connection } from '@sluice/core'
import { abort, relay, SocketLink } from '@sluice/transport'
import { answerFailure, answerFields, formatAnswerHead, formatInterim } from './answer-head.js'
import type { ForwardedRequest } from './forwarded-request.js'
import { endToEnd } from './hop-by-hop.js'
import { answerTo, passOn } from './target-answer.js'

const DAY_MS = 86_400_000
/** The session that carries the tunnel has limits, so this part of its way has none. */
const UNLIMITED = { connIdleMs: 0, uplinkOnlyMs: DAY_MS, downlinkOnlyMs: DAY_MS }

/**
 * Passes a request on that asks to switch protocols (RFC 9110 §7.8). After a 101 the connection is a tunnel, and this resolves when it
 * has ended. Any other answer is passed on as it is; its end, and that of the connection, is left to the caller.
 *
 * @throws while nothing was said to the client yet: why there is no answer.
 */
export async function exchangeUpgrade(connection: Connection, outgoing: ClientRequest, forwarded: ForwardedRequest): Promise<void> {
  outgoing.end()
  let isBegun = false
  try {
    const { answer, tunnel } = await answerTo(outgoing, forwarded, (interim) => void connection.write(formatInterim(interim)))
    const fields = tunnel === undefined ? [...answerFields(answer), CLOSE] : [...endToEnd(answer.rawHeaders), ...switched(answer)]
    connection.write(formatAnswerHead(answer, fields))
    isBegun = true
    if (tunnel === undefined) await passOn(answer, outgoing, connection, forwarded)
    else await join(connection, tunnel, forwarded)
  } catch (error) {
    if (!isBegun) throw answerFailure(error)
    abort(connection, error as Error)
    throw error
  }
}

const CLOSE = ['Connection', 'close'] as const

function switched({ headers: { upgrade = '' } }: IncomingMessage): readonly (readonly [string, string])[] {
  return [['Connection', 'Upgrade'], ['Upgrade', upgrade]]
}

function join(connection: Connection, tunnel: Duplex, forwarded: ForwardedRequest): Promise<void> {
  // From here on the session sees every byte as it moves, and holds nothing back.
  forwarded.delivered()
  const record = { startedAt: Date.now(), uplinkBytes: 0, downlinkBytes: 0, attempts: 0 }
  return relay(new SocketLink(connection, () => {}), tunnel, { ...UNLIMITED, record, signal: new AbortController().signal })
}
