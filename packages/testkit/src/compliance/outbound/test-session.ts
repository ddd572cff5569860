import assert from 'node:assert/strict'
import { getEventListeners } from 'node:events'
import { isProxyError, type Context, type Dialer, type Outbound, type ProxyError, type ProxyErrorCode, type Side } from '@sluice/core'
import type { TestLink } from '../../test-link.js'
import { until } from '../../until.js'
import type { Peer } from '../../upstream/peer.js'
import { within } from '../../within.js'
import { expectNoSecret } from '../expect-no-secret.js'

type Settlement = { readonly status: 'resolved' } | { readonly status: 'rejected', readonly reason: unknown }

/** One session that an outbound under test carries: its client, its link, and how `process` settles. */
export class TestSession {
  readonly client: Peer
  readonly link: TestLink
  readonly context: Context
  readonly controller: AbortController
  readonly #limitMs: number
  readonly #secrets: readonly string[]
  readonly #listeners: ReadonlyMap<string | symbol, number>
  #settlement: Promise<Settlement> | undefined

  constructor(link: TestLink, context: Context, controller: AbortController, limitMs: number, secrets: readonly string[] = []) {
    this.client = link.client
    this.link = link
    this.context = context
    this.controller = controller
    this.#limitMs = limitMs
    this.#secrets = secrets
    this.#listeners = listenersOf(link)
  }

  start(outbound: Outbound, dialer: Dialer): this {
    // In a then, so that what `process` throws at once is a rejection like any other.
    this.#settlement = Promise.resolve().then(() => outbound.process(this.context, this.link, dialer)).then(
      () => ({ status: 'resolved' }),
      (reason: unknown) => ({ status: 'rejected', reason }),
    )
    return this
  }

  /** Waits for `link.open()`. Fails when `process` settles before. */
  async opened(): Promise<this> {
    const early = this.#settlement?.then((settlement) => {
      if (!this.link.opened) throw new Error(`process() ${describe(settlement)} without link.open()`)
    })
    await within(this.#limitMs, 'link.open()', Promise.race([this.link.whenOpened, early]))
    return this
  }

  /** Waits for `process` to resolve, and checks that both streams of the link were ended and nobody listens any more. */
  async resolved(): Promise<void> {
    const settlement = await this.settled()
    assert.equal(describe(settlement), 'resolved')
    await this.#expectEnded()
  }

  /** Waits for `process` to reject, with nothing secret. @returns The reason. */
  async rejected(): Promise<unknown> {
    const settlement = await this.settled()
    if (settlement.status === 'resolved') assert.fail('process() resolved, and should have rejected')
    expectNoSecret(settlement.reason, this.#secrets, 'what process() rejected with')
    if (this.link.opened) await this.#expectEnded()
    return settlement.reason
  }

  /** Waits for `process` to reject with a `ProxyError` of that side and, if given, code. */
  async failed(side: Side, code?: ProxyErrorCode): Promise<ProxyError> {
    const reason = await this.rejected()
    assert.ok(isProxyError(reason), `process() rejected with ${String(reason)}, which is no ProxyError`)
    assert.equal(reason.side, side, `side of ${reason.code} ${reason.message}`)
    if (code !== undefined) assert.equal(reason.code, code, `code of: ${reason.message}`)
    return reason
  }

  settled(): Promise<Settlement> {
    return within(this.#limitMs, 'process() to settle', this.#settlement ?? Promise.reject(new Error('the session was not started')))
  }

  /** Nobody but the client has done anything to the link; `sent` is what the client has sent, all of which must still be there. */
  async expectUntouched(sent: string): Promise<void> {
    const { link } = this
    assert.equal(link.opened, false, 'link.open() was called')
    assert.equal(link.abortedWith, undefined, 'link.abort() was called')
    assert.equal(link.reader.destroyed, false, 'the link was destroyed')
    assert.equal(link.writer.writableEnded, false, 'link.writer was ended')
    assert.equal(link.writer.bytesWritten, 0, 'something was written to link.writer')
    assert.deepEqual(listenersOf(link), this.#listeners, 'listeners on the link')
    const arrived = (): boolean => link.reader.readableLength >= sent.length
    await until(arrived, () => `${sent.length} bytes to be in link.reader: ${link.reader.readableLength}`, this.#limitMs)
    assert.equal(String(link.reader.read() ?? ''), sent, 'what is in link.reader')
    this.expectNoSignalListener()
  }

  expectNoSignalListener(): void {
    assert.equal(getEventListeners(this.context.signal, 'abort').length, 0, "listeners for 'abort' left on ctx.signal")
  }

  async #expectEnded(): Promise<void> {
    const { reader, writer } = this.link
    await until(() => reader.readableEnded || reader.destroyed, 'link.reader to be ended', this.#limitMs)
    await until(() => writer.writableFinished || writer.destroyed, 'link.writer to be ended', this.#limitMs)
    const left = [...listenersOf(this.link)].filter(([event, count]) => count > (this.#listeners.get(event) ?? 0))
    assert.deepEqual(left, [], 'listeners left on the link')
    this.expectNoSignalListener()
  }
}

/** How many listeners there are for each event, but for `error`: to leave an idle one there is good manners. */
function listenersOf({ reader }: TestLink): Map<string | symbol, number> {
  const events = reader.eventNames().filter((event) => event !== 'error')
  return new Map(events.map((event) => [event, reader.listenerCount(event)]))
}

function describe(settlement: Settlement): string {
  if (settlement.status === 'resolved') return 'resolved'
  const { reason } = settlement
  return `rejected with ${isProxyError(reason) ? `${reason.code}: ` : ''}${reason instanceof Error ? reason.message : String(reason)}`
}
