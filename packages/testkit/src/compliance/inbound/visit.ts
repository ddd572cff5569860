import assert from 'node:assert/strict'
import type { Socket } from 'node:net'
import type { Dispatch, Link, SessionRequest } from '@sluice/core'
import { until } from '../../until.js'
import { Peer } from '../../upstream/peer.js'
import { within } from '../../within.js'
import type { ClientAnswer, InboundSetup } from './inbound-compliance-options.js'

/** A session that an inbound under test has dispatched. It does nothing until it is told to. */
export interface Dispatched {
  readonly request: SessionRequest
  readonly link: Link
  /** Opens the link, sends back what comes, and ends when the client does. */
  echo(): void
  /** Ends the session: the inbound's `dispatch` resolves. */
  finish(): void
  /** No tunnel: the inbound's `dispatch` rejects. */
  fail(error: Error): void
}

/** One client of an inbound under test: its connection, what was dispatched for it, and how `handle` settles. */
export class Visit {
  readonly client: Peer
  /** The end of the connection that the inbound was given. */
  readonly socket: Socket
  readonly dispatched: Dispatched[] = []
  readonly #setup: InboundSetup
  readonly #limitMs: number
  readonly #handled: Promise<void>
  #settled = false

  constructor(setup: InboundSetup, client: Socket, socket: Socket, limitMs: number) {
    this.client = new Peer(client, { stepMs: limitMs })
    this.socket = socket
    this.#setup = setup
    this.#limitMs = limitMs
    this.#handled = Promise.resolve().then(() => setup.inbound.handle(socket, this.#dispatch)).finally(() => { this.#settled = true })
    // Checked by `handled`.
    this.#handled.catch(() => {})
  }

  /** Whether `handle` has settled. */
  get settled(): boolean {
    return this.#settled
  }

  /** The session, as soon as it is dispatched. */
  async session(): Promise<Dispatched> {
    await until(
      () => this.dispatched.length > 0 || this.#settled,
      () => `the session to be dispatched; the client got ${this.client.receivedBytes} bytes`, this.#limitMs,
    )
    const [first] = this.dispatched
    assert.ok(first !== undefined, 'handle() settled and has dispatched nothing')
    return first
  }

  /** What the client was told so far. */
  get answer(): ClientAnswer | undefined {
    return this.#setup.parseAnswer(this.client.received)
  }

  /** Waits for the answer to the request. */
  async answered(): Promise<ClientAnswer> {
    await until(() => this.answer !== undefined, () => `an answer; the client got <${this.client.received.toString('hex')}>`, this.#limitMs)
    return this.answer as ClientAnswer
  }

  /** Waits until that many bytes came behind the answer of success. */
  async echoed(bytes: number): Promise<string> {
    const { success, code } = await this.answered()
    assert.equal(success, true, `the client was told of a failure: ${code}`)
    const got = (): number => this.answer?.rest.length ?? 0
    await until(() => got() >= bytes, () => `${bytes} bytes behind the answer: ${got()}`, this.#limitMs)
    return String(this.answer?.rest)
  }

  /** Waits until the client has seen its connection end, in whatever way, and lets it go too. */
  async refused(): Promise<void> {
    await until(() => this.client.ended || this.client.socket.destroyed, 'the connection to be ended by the inbound', this.#limitMs)
    this.client.socket.end()
    await this.handled()
  }

  /** Waits for `handle` to resolve, and for its connection to be gone. */
  async handled(): Promise<void> {
    await within(this.#limitMs, 'handle() to resolve', this.#handled)
    await until(() => this.socket.destroyed, 'the connection of the client to be gone after handle() resolved', this.#limitMs)
  }

  /** Destroys what is left, and waits for `handle`. */
  async close(): Promise<void> {
    this.client.socket.destroy()
    this.socket.destroy()
    for (const session of this.dispatched) session.finish()
    await this.handled()
  }

  readonly #dispatch: Dispatch = (request, link) => new Promise((resolve, reject) => {
    this.dispatched.push({
      request,
      link,
      echo() {
        link.open()
        link.reader.pipe(link.writer)
        link.reader.once('close', resolve)
      },
      finish: resolve,
      fail: reject,
    })
  })
}
