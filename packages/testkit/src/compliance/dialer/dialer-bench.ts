import assert from 'node:assert/strict'
import { getEventListeners } from 'node:events'
import { isProxyError, tcp, type Connection, type Dialer, type DialOptions, type ProxyErrorCode } from '@sluice/core'
import type { ServerTls } from '../../listening.js'
import { scriptedUpstream, type Script, type ScriptedUpstream } from '../../upstream/scripted-upstream.js'
import { within } from '../../within.js'
import type { Bench } from '../suite.js'
import type { DialerComplianceOptions, DialerSetup } from './dialer-compliance-options.js'

/** Codes of what the system or TLS reported. Others may be the word of a peer, which has no cause. */
const WRAPPING: ReadonlySet<ProxyErrorCode> = new Set(['DNS', 'DIAL', 'TLS', 'CERT'])

/** A dialer under test, its peers, and what it has dialled. */
export class DialerBench implements Bench {
  readonly dialer: Dialer
  readonly options: DialerComplianceOptions
  readonly limitMs: number
  readonly #setup: DialerSetup
  readonly #peers: ScriptedUpstream[] = []
  readonly #connections: Connection[] = []

  constructor(setup: DialerSetup, options: DialerComplianceOptions) {
    this.#setup = setup
    this.options = options
    this.dialer = setup.dialer
    this.limitMs = options.limitMs ?? 5_000
  }

  /**
   * Starts a peer that plays that script to each connection.
   * @param tls `null`: none. @default that of the options
   */
  async peer(script: Script, tls: ServerTls | null = this.options.tls ?? null): Promise<ScriptedUpstream> {
    const peer = await scriptedUpstream(script, { stepMs: this.limitMs, ...(tls === null ? {} : { tls }) })
    this.#peers.push(peer)
    return peer
  }

  /** Dials a port of 127.0.0.1. */
  async dial(port: number, options: Partial<DialOptions> = {}): Promise<Connection> {
    const { signal = new AbortController().signal } = options
    const dial = this.dialer.dial(tcp('127.0.0.1', port), { ...options, signal })
    // Also what comes too late is to be cleaned up.
    void dial.then((connection) => this.#connections.push(connection), () => {})
    try {
      return await within(this.limitMs, 'dial() to settle', dial)
    } finally {
      assert.equal(getEventListeners(signal, 'abort').length, 0, "listeners for 'abort' left on the signal after dial() settled")
    }
  }

  /** Waits for a dial to reject. @returns The reason. */
  async rejected(dial: Promise<Connection>): Promise<unknown> {
    const outcome = await dial.then(() => undefined, (reason: unknown) => ({ reason }))
    if (outcome === undefined) assert.fail('dial() resolved, and should have rejected')
    return outcome.reason
  }

  /** Waits for a dial to fail with that code, as an upstream's fault. */
  async failed(dial: Promise<Connection>, code: ProxyErrorCode): Promise<void> {
    const reason = await this.rejected(dial)
    assert.ok(isProxyError(reason), `dial() rejected with ${String(reason)}, which is no ProxyError`)
    assert.equal(reason.code, code, `code of: ${reason.message}`)
    assert.equal(reason.side, 'upstream', `side of: ${reason.message}`)
    if (WRAPPING.has(code)) assert.ok(reason.cause !== undefined, `${code} has no cause`)
  }

  async close(): Promise<void> {
    for (const connection of this.#connections) connection.destroy()
    try {
      await Promise.all(this.#peers.map((peer) => peer.close()))
    } finally {
      await this.#setup.close?.()
    }
  }

  cleanUp(): void {
    for (const connection of this.#connections) connection.destroy()
  }
}
