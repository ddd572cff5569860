import type { ClientRequest, IncomingMessage, ServerResponse } from 'node:http'
import { isProxyError, ProxyError, toProxyError, type Connection, type Dispatch, type User } from '@sluice/core'
import { abort, deadline, hangUp } from '@sluice/transport'
import { clientLeft } from './target-answer.js'
import { formatFailure, formatRefusal } from './answer.js'
import { exchange } from './exchange.js'
import { assertUnambiguous } from './forwarded-head.js'
import { ForwardedRequest } from './forwarded-request.js'
import { fieldsOf } from './hop-by-hop.js'
import type { RequestHead } from './request-head.js'
import { RequestRefusal } from './request-refusal.js'
import { exchangeUpgrade } from './upgrade-exchange.js'

const KEEP_ALIVE_MS = 60_000
/** Requests that a client may send ahead of their answers. */
const MAX_AHEAD = 100

export interface PlainClientOptions {
  /** How long a client may take for a request's head, in ms; 0 = no limit. */
  readonly handshakeMs: number
  /** How long an answer may take to begin once the client has ended its side, in ms. */
  readonly downlinkOnlyMs: number
  /** Take requests in origin-form, too. */
  readonly allowTransparent: boolean
  /** @throws {RequestRefusal} 407, 429 */
  readonly userOf: (rawHeaders: readonly string[], connection: Connection) => User | undefined
  /** Told of each request that is not served. */
  readonly onRefused: (connection: Connection, refusal: RequestRefusal) => void
}

/** What becomes of a connection. One of both is called, once. */
export interface PlainOutcome {
  /** It is closed, or is the caller's again, with a CONNECT to be served. */
  readonly released: (connect?: RequestHead) => void
  /** By a bug of ours. The connection is still open. */
  readonly failed: (error: unknown) => void
}

type Exchange = (outgoing: ClientRequest, forwarded: ForwardedRequest) => Promise<void>

/**
 * One connection that sends plain requests. They are served one after the other, each as a session, whether the client waits for
 * answers or not; after one that is refused or fails nothing that follows is looked at.
 */
export class PlainClient {
  readonly #connection: Connection
  readonly #dispatch: Dispatch
  readonly #options: PlainClientOptions
  readonly #outcome: PlainOutcome
  /** Settles with the answer to the newest request. Never rejects. */
  #turn: Promise<void> = Promise.resolve()
  #unanswered = 0
  #newest: IncomingMessage | undefined
  #current: { readonly incoming: IncomingMessage, readonly forwarded: ForwardedRequest } | undefined
  /** Set once what the client sent is no HTTP. */
  #malformed: RequestRefusal | undefined
  #isServed = true
  #isDraining = false
  /** Whether the limit that runs is that of a head, not of the wait for one. */
  #headBegun = true
  #cancelLimit: () => void

  /** @param headMs How long the head of the first request, which has begun, may take; 0 = no limit. */
  constructor(connection: Connection, dispatch: Dispatch, options: PlainClientOptions, headMs: number, outcome: PlainOutcome) {
    this.#connection = connection
    this.#dispatch = dispatch
    this.#options = options
    this.#outcome = outcome
    this.#cancelLimit = deadline(headMs, this.#onLimit)
    connection.once('close', this.#onClose)
    // How Node's server ends a connection behind its last answer. To destroy it could cost the client that answer.
    Object.assign(connection, { destroySoon: this.#onLast })
  }

  /** Notes that a head begins. Belongs behind Node's own listener, which tells of whole heads only. */
  readonly onData = (chunk: Buffer): void => {
    if (this.#unanswered > 0 || this.#headBegun || isEmptyLines(chunk)) return
    this.#headBegun = true
    this.#limit(this.#options.handshakeMs)
  }

  request(incoming: IncomingMessage, response: ServerResponse): void {
    const { downlinkOnlyMs } = this.#options
    this.#enqueue(incoming, undefined, (outgoing, forwarded) =>
      exchange({ incoming, response, outgoing, forwarded, downlinkOnlyMs, isLast: () => this.#isDraining }))
  }

  /**
   * A request behind which Node has let go of the connection; what follows it is in the connection.
   * @param upgrade The protocols to switch to.
   */
  upgrade(incoming: IncomingMessage, upgrade: string): void {
    if (this.#unanswered > 0) return this.#cut()
    this.#enqueue(incoming, upgrade, async (outgoing, forwarded) => {
      this.#letGo()
      await exchangeUpgrade(this.#connection, outgoing, forwarded)
      await hangUp(this.#connection, '')
    })
  }

  /** As `upgrade`, for a CONNECT. */
  connect(incoming: IncomingMessage): void {
    if (this.#unanswered > 0) return this.#cut()
    this.#letGo()
    try {
      assertUnambiguous(incoming)
    } catch (error) {
      return void this.#fail(error)
    }
    this.#connection.off('close', this.#onClose)
    this.#outcome.released({ method: 'CONNECT', target: incoming.url ?? '', version: '1.1', fields: fieldsOf(incoming.rawHeaders) })
  }

  /** What the client sent is no HTTP, within the newest request or behind it. */
  malformed(refusal: RequestRefusal): void {
    if (!this.#isServed || this.#malformed !== undefined) return
    this.#malformed = refusal
    this.#cancelLimit()
    if (this.#newest === undefined || this.#newest.complete) this.#turn = this.#turn.then(() => this.#inTurn(() => Promise.reject(refusal)))
    else if (this.#current?.incoming === this.#newest) this.#current.forwarded.abort(refusal)
  }

  /** Ends: at once, or when the request at work has its answer. */
  drain(): void {
    this.#isDraining = true
    if (this.#unanswered === 0 && this.#isServed) this.#connection.destroy()
  }

  #enqueue(incoming: IncomingMessage, upgrade: string | undefined, carry: Exchange): void {
    if (!this.#isServed) return
    this.#cancelLimit()
    this.#headBegun = false
    this.#newest = incoming
    if (++this.#unanswered > MAX_AHEAD) return this.#cut()
    this.#turn = this.#turn.then(() => this.#inTurn(async () => {
      await this.#forward(incoming, upgrade, carry)
      this.#answered()
    }))
  }

  async #inTurn(serve: () => Promise<void>): Promise<void> {
    if (!this.#isServed) return
    try {
      await serve()
    } catch (error) {
      await this.#fail(error)
    }
  }

  async #forward(incoming: IncomingMessage, upgrade: string | undefined, carry: Exchange): Promise<void> {
    if (this.#malformed !== undefined && !incoming.complete) throw this.#malformed
    const { userOf, allowTransparent } = this.#options
    const user = userOf(incoming.rawHeaders, this.#connection)
    const forwarded = new ForwardedRequest(incoming, { allowTransparent, upgrade })
    const onLeft = (): void => forwarded.abort(clientLeft())
    this.#connection.once('close', onLeft)
    this.#current = { incoming, forwarded }
    try {
      const session = this.#dispatch({ target: forwarded.target, ...(user && { user }) }, forwarded.link).catch((error: unknown) => {
        throw toProxyError(error)
      })
      const outgoing = await Promise.race([forwarded.opened, forwarded.cut, session])
      if (outgoing === undefined) throw new ProxyError('INTERNAL', 'The session ended and was not opened', { side: 'internal' })
      await carry(outgoing, forwarded)
      this.#connection.off('close', onLeft)
      // Whoever waits for the last session cuts what is still open then, and with it what the client has not taken yet.
      if (this.#isDraining) await this.#close()
    } catch (error) {
      forwarded.abort(error as Error)
      throw error
    } finally {
      this.#connection.off('close', onLeft)
      this.#current = undefined
      forwarded.delivered()
    }
  }

  #answered(): void {
    this.#unanswered--
    if (!this.#isServed) return
    if (this.#isDraining) void this.#close()
    else if (this.#unanswered === 0) this.#limit(KEEP_ALIVE_MS)
  }

  /** Answers a request for which there is no other answer, as long as its client has been told nothing. The connection ends. */
  async #fail(error: unknown): Promise<void> {
    if (this.#connection.destroyed) return
    const isRefused = error instanceof RequestRefusal
    if (!isRefused && !isProxyError(error)) {
      this.#letGo()
      return this.#outcome.failed(error)
    }
    if (isRefused) this.#options.onRefused(this.#connection, error)
    await this.#hangUp(isRefused ? formatRefusal(error) : formatFailure(error))
  }

  async #hangUp(lastWord: string): Promise<void> {
    this.#letGo()
    // Node would go on to find requests in what the client still sends.
    this.#connection.removeAllListeners('data')
    await hangUp(this.#connection, lastWord)
  }

  /** Ends the connection without waiting for its client to do so. */
  #close(): Promise<void> {
    const connection = this.#connection
    this.#letGo()
    return new Promise((resolve) => {
      if (connection.destroyed) resolve()
      else connection.once('close', resolve).end(() => connection.destroy())
    })
  }

  /** Serves no more requests. */
  #letGo(): void {
    this.#isServed = false
    this.#cancelLimit()
    this.#connection.off('data', this.onData)
    Reflect.deleteProperty(this.#connection, 'destroySoon')
  }

  /** Too much was sent ahead; or a tunnel was asked for ahead, and who knows where the answers end and it begins. */
  #cut(): void {
    abort(this.#connection, new ProxyError('LIMIT', 'The client did not wait for its answers', { side: 'downstream', phase: 'relay' }))
  }

  #limit(ms: number): void {
    this.#cancelLimit()
    this.#cancelLimit = deadline(ms, this.#onLimit)
  }

  readonly #onLimit = (): void => {
    const message = `The client sent no whole request within ${this.#options.handshakeMs} ms`
    if (this.#headBegun) void this.#fail(new RequestRefusal(408, 'TIMEOUT', message))
    else this.#connection.destroy()
  }

  readonly #onLast = (): void => {
    // What is no HTTP is still to be answered.
    if (this.#malformed === undefined && !this.#isDraining) void this.#hangUp('')
  }

  readonly #onClose = (): void => {
    this.#letGo()
    this.#outcome.released()
  }
}

/** What some clients send behind a body. */
function isEmptyLines(chunk: Buffer): boolean {
  return chunk.every((byte) => byte === 0x0d || byte === 0x0a)
}
