import { createServer, type ClientRequest, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { pipeline } from 'node:stream/promises'
import type { Duplex } from 'node:stream'
import { ProxyError, type Connection, type Dispatch, type User } from '@sluice/core'
import { abort, deadline, hangUp, relay, SocketLink } from '@sluice/transport'
import { formatFailure, formatRefusal } from './answer.js'
import { ForwardedRequest } from './forwarded-request.js'
import { endToEnd } from './hop-by-hop.js'
import { RequestRefusal } from './request-refusal.js'

const MAX_HEAD_BYTES = 65_536
const KEEP_ALIVE_MS = 60_000
/** A tunnel after an upgrade is limited by the session that carries it, so this side of it is not limited again. */
const UNLIMITED = { connIdleMs: 0, uplinkOnlyMs: 10_000, downlinkOnlyMs: 10_000 }

export interface PlainHttpOptions {
  /** How long a client may take for a request's head, in ms; 0 = no limit. */
  readonly handshakeMs: number
  /** Take requests in origin-form, too. */
  readonly allowTransparent: boolean
  /** @throws {RequestRefusal} 407 */
  readonly userOf: (rawHeaders: readonly string[]) => User | undefined
  /** A CONNECT that follows plain requests on their connection. */
  readonly onConnect: (connection: Connection, dispatch: Dispatch, request: IncomingMessage) => void
}

interface Client {
  readonly dispatch: Dispatch
  /** Requests that are not answered yet; a client may send several ahead. */
  requests: number
  /** Ends the wait for a next request. */
  stopWaiting: () => void
}

/**
 * Serves plain HTTP requests to a proxy: absolute-form in, one session each, connections kept alive, `Expect: 100-continue` and
 * upgrades passed on.
 *
 * Framing on the client's side is Node's strict parser's, on the target's side likewise: one parser each, and neither passes on
 * what it did not understand.
 */
export class PlainHttp {
  readonly #options: PlainHttpOptions
  readonly #server: Server
  readonly #clients = new Map<Duplex, Client>()
  #isDraining = false

  constructor(options: PlainHttpOptions) {
    this.#options = options
    this.#server = createServer({
      maxHeaderSize: MAX_HEAD_BYTES, requireHostHeader: false, keepAliveTimeout: 0, requestTimeout: 0, headersTimeout: 0,
    })
    // Node would cut a longer list of fields in silence; ours is bounded in bytes, and counted.
    this.#server.maxHeadersCount = 0
    this.#server.on('request', (incoming, response) => void this.#forward(incoming, response))
    this.#server.on('checkContinue', (incoming, response) => void this.#forward(incoming, response))
    this.#server.on('upgrade', (incoming: IncomingMessage, socket: Duplex, head: Buffer) => void this.#upgrade(incoming, socket, head))
    this.#server.on('connect', (incoming: IncomingMessage, socket: Duplex, head: Buffer) => {
      const client = this.#clients.get(socket)
      if (client === undefined) return
      this.#release(socket)
      if (head.length > 0) socket.unshift(head)
      options.onConnect(socket, client.dispatch, incoming)
    })
    this.#server.on('clientError', (error: NodeJS.ErrnoException, socket) => void refuseMalformed(error, socket))
  }

  /** Serves a connection whose first bytes are still unread, to its end. */
  serve(connection: Connection, dispatch: Dispatch): Promise<void> {
    return new Promise((resolve) => {
      connection.once('close', () => {
        this.#release(connection)
        resolve()
      })
      this.#clients.set(connection, { dispatch, requests: 0, stopWaiting: () => {} })
      this.#await(connection, this.#options.handshakeMs)
      this.#server.emit('connection', connection)
      // It is paused, and what was looked at before is still in it.
      connection.resume()
    })
  }

  async #forward(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const { socket } = incoming
    const client = this.#clients.get(socket)
    if (client === undefined) return
    this.#begin(client)
    response.sendDate = false
    response.shouldKeepAlive &&= !this.#isDraining
    response.once('close', () => this.#answered(socket, client))
    try {
      const user = this.#options.userOf(incoming.rawHeaders)
      const forwarded = new ForwardedRequest(incoming, this.#options.allowTransparent)
      response.once('close', () => {
        if (!response.writableFinished) forwarded.abort(clientLeft())
      })
      void forwarded.opened.then((outgoing) => exchange(incoming, response, outgoing, forwarded))
      await client.dispatch({ target: forwarded.destination.target, ...(user && { user }) }, forwarded.link)
    } catch (error) {
      await hangUp(socket, error instanceof RequestRefusal ? formatRefusal(error) : formatFailure(error))
    }
  }

  async #upgrade(incoming: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    const client = this.#clients.get(socket)
    if (client === undefined) return
    this.#begin(client)
    if (head.length > 0) socket.unshift(head)
    try {
      const user = this.#options.userOf(incoming.rawHeaders)
      const forwarded = new ForwardedRequest(incoming, this.#options.allowTransparent)
      const onLeft = (): void => forwarded.abort(clientLeft())
      socket.once('close', onLeft)
      void forwarded.opened.then((outgoing) => joinUpgraded(socket, outgoing.end(), () => socket.off('close', onLeft)))
      await client.dispatch({ target: forwarded.destination.target, ...(user && { user }) }, forwarded.link)
    } catch (error) {
      await hangUp(socket, error instanceof RequestRefusal ? formatRefusal(error) : formatFailure(error))
    }
  }

  /** Ends the connections that only wait for a next request, and those at work after their answer. */
  drain(): void {
    this.#isDraining = true
    for (const [connection, { requests }] of this.#clients) if (requests === 0) connection.destroy()
  }

  #begin(client: Client): void {
    client.requests++
    client.stopWaiting()
  }

  #answered(socket: Duplex, client: Client): void {
    client.requests--
    if (client.requests > 0 || socket.destroyed) return
    if (this.#isDraining) socket.end()
    else this.#await(socket, KEEP_ALIVE_MS + this.#options.handshakeMs)
  }

  /** Gives a client so long for its next request. */
  #await(connection: Duplex, ms: number): void {
    const client = this.#clients.get(connection)
    if (client === undefined) return
    client.stopWaiting()
    client.stopWaiting = deadline(this.#options.handshakeMs === 0 ? 0 : ms, () => connection.destroy())
  }

  #release(connection: Duplex): void {
    this.#clients.get(connection)?.stopWaiting()
    this.#clients.delete(connection)
  }
}

/** Sends the body up and the answer down; what breaks on one side is broken on the other, never ended. */
async function exchange(incoming: IncomingMessage, response: ServerResponse, outgoing: ClientRequest, forwarded: ForwardedRequest): Promise<void> {
  outgoing.on('continue', () => response.writeContinue())
  const answered = new Promise<IncomingMessage>((resolve, reject) => {
    outgoing.once('response', resolve).on('error', reject)
  })
  // A target may answer before it has read the whole body; that it then reads no more is no failure of the answer.
  pipeline(incoming, outgoing).catch(() => {})
  try {
    const answer = await answered
    response.writeHead(answer.statusCode ?? 502, answer.statusMessage, endToEnd(answer.rawHeaders).flat())
    await pipeline(answer, response)
  } catch (error) {
    if (response.headersSent) {
      abort(incoming.socket, error as Error)
    } else if (!incoming.socket.destroyed) {
      const why = new ProxyError('PROTO', `The target gave no answer that can be passed on: ${(error as Error).message}`, { cause: error })
      await hangUp(incoming.socket, formatFailure(why))
    }
    forwarded.abort(error as Error)
  }
}

/** After a 101 the connection is a tunnel; any other answer is passed on as it is, and ends it. */
function joinUpgraded(socket: Duplex, outgoing: ClientRequest, joined: () => void): void {
  outgoing.on('error', (error) => abort(socket, error))
  outgoing.once('response', (answer: IncomingMessage) => {
    socket.write(formatHead(answer, [['Connection', 'close']]))
    pipeline(answer, socket).catch((error: unknown) => abort(socket, error as Error))
  })
  outgoing.once('upgrade', (answer: IncomingMessage, near: Duplex, head: Buffer) => {
    joined()
    if (head.length > 0) near.unshift(head)
    socket.write(formatHead(answer, [['Connection', 'Upgrade'], ['Upgrade', String(answer.headers.upgrade)]]))
    const record = { startedAt: Date.now(), uplinkBytes: 0, downlinkBytes: 0, attempts: 0 }
    const { signal } = new AbortController()
    // Why it ended is in the account of the session that carries it.
    relay(new SocketLink(socket, () => {}), near, { ...UNLIMITED, record, signal }).catch(() => {})
  })
}

function formatHead(answer: IncomingMessage, connection: readonly (readonly [string, string])[]): string {
  const lines = [...endToEnd(answer.rawHeaders), ...connection].map(([name, value]) => `${name}: ${value}\r\n`)
  return `HTTP/1.1 ${answer.statusCode ?? 502} ${answer.statusMessage ?? ''}\r\n${lines.join('')}\r\n`
}

async function refuseMalformed(error: NodeJS.ErrnoException, socket: Duplex): Promise<void> {
  if (!socket.writable || error.code === 'ECONNRESET') {
    socket.destroy()
    return
  }
  const tooLarge = error.code === 'HPE_HEADER_OVERFLOW'
  const refusal = tooLarge
    ? new RequestRefusal(431, 'LIMIT', `The head of the request is larger than ${MAX_HEAD_BYTES} bytes`)
    : new RequestRefusal(400, 'PROTO', 'The request is malformed')
  await hangUp(socket, formatRefusal(refusal))
}

function clientLeft(): ProxyError {
  return new ProxyError('ABORT', 'The client left before it had the answer', { side: 'downstream', phase: 'relay' })
}
