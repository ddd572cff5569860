import assert from 'node:assert/strict'
import { isTunnelOutbound, type Connection, type Destination, type Outbound } from '@sluice/core'
import type { TargetKind } from '../../target/behaviours.js'
import { startTarget, type Target, type TargetOptions } from '../../target/start-target.js'
import { testContext } from '../../test-context.js'
import { testLink } from '../../test-link.js'
import { until } from '../../until.js'
import { within } from '../../within.js'
import type { Bench } from '../suite.js'
import type { OutboundComplianceOptions, OutboundSetup } from './outbound-compliance-options.js'
import { TestSession } from './test-session.js'
import { TrackedDialer } from './tracked-dialer.js'

export interface SessionOptions {
  /** What the client has sent before `process` is called. */
  readonly sent?: string
  /** The client does not read. @default false */
  readonly paused?: boolean
  /** @default a new one */
  readonly controller?: AbortController
}

/** An outbound under test, its upstream, and the targets and sessions of one check. */
export class OutboundBench implements Bench {
  readonly options: OutboundComplianceOptions
  readonly outbound: Outbound
  readonly dialer: TrackedDialer
  readonly limitMs: number
  readonly #setup: OutboundSetup
  readonly #targets: Target[] = []
  readonly #sessions: TestSession[] = []
  #closed: Promise<void> | undefined

  private constructor(setup: OutboundSetup, options: OutboundComplianceOptions) {
    this.#setup = setup
    this.options = options
    this.outbound = setup.outbound
    this.dialer = new TrackedDialer(setup.dialer)
    this.limitMs = options.limitMs ?? 5_000
  }

  static async open(setup: OutboundSetup, options: OutboundComplianceOptions): Promise<OutboundBench> {
    await setup.outbound.start?.()
    return new OutboundBench(setup, options)
  }

  async target(kind: TargetKind, options?: TargetOptions): Promise<Target> {
    const target = await startTarget(kind, options)
    this.#targets.push(target)
    return target
  }

  /** Starts a session to that target. */
  async session(target: Target, options: SessionOptions = {}): Promise<TestSession> {
    const { sent = '', paused = false, controller = new AbortController() } = options
    const link = await testLink({ stepMs: this.limitMs, paused })
    const context = testContext({ target: this.#reach(target), signal: controller.signal })
    const session = new TestSession(link, context, controller, this.limitMs, this.options.secrets)
    this.#sessions.push(session)
    if (sent !== '') {
      await link.client.send(sent)
      await until(() => link.reader.readableLength === sent.length, 'what the client sent to arrive')
    }
    return session.start(this.outbound, this.dialer)
  }

  /** Calls the outbound's `connect`. */
  async connect(target: Target, signal: AbortSignal): Promise<Connection> {
    const { outbound } = this
    assert.ok(isTunnelOutbound(outbound), 'the outbound has no connect(): say so by `tunnel: false`')
    return outbound.connect(testContext({ target: this.#reach(target), signal }), this.dialer)
  }

  /** Every connection that was dialled is gone, unless sessions share them. */
  async expectDialledGone(): Promise<void> {
    if (this.options.pools === true) return
    const open = (): number => this.dialer.connections.filter(({ destroyed }) => !destroyed).length
    const { length } = this.dialer.connections
    await until(() => open() === 0, () => `connections to the upstream to be gone: ${open()} of ${length}`, this.limitMs)
  }

  /** Calls the outbound's `close`, once. */
  closeOutbound(): Promise<void> {
    this.#closed ??= Promise.resolve(this.outbound.close?.())
    return within(this.limitMs, 'close() of the outbound to settle', this.#closed)
  }

  async close(): Promise<void> {
    for (const { controller, link } of this.#sessions) {
      controller.abort()
      link.close()
    }
    try {
      await Promise.all(this.#sessions.map((session) => session.settled()))
    } finally {
      await this.closeOutbound()
      await this.#setup.close?.()
      await Promise.all(this.#targets.map((target) => target.close()))
    }
  }

  cleanUp(): void {
    for (const connection of this.dialer.connections) connection.destroy()
  }

  #reach({ destination }: Target): Destination {
    return this.options.reach?.(destination) ?? destination
  }
}
