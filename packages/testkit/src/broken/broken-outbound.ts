import { once } from 'node:events'
import {
  formatEndpoint, ProxyError, tcp, type Connection, type Context, type Dialer, type Link, type PolicyManager, type TunnelOutbound,
} from '@sluice/core'
import { brokenRelay } from './broken-relay.js'
import type { OutboundFault } from './outbound-faults.js'

export interface BrokenOutboundOptions {
  /** Where an HTTP proxy listens on 127.0.0.1, such as a `connectProxy`. */
  readonly proxyPort: number
  readonly policies: PolicyManager
  /** What it does wrong. @default nothing */
  readonly fault?: OutboundFault | undefined
  /** Sent with every request. @default none is sent */
  readonly password?: string | undefined
}

/**
 * An HTTP CONNECT outbound that makes one mistake: what a suite of yours, or a change to one of ours, is tried on. Without a fault it
 * is the contract in its plainest form.
 *
 * @example
 * ```ts
 * import { brokenOutbound, collectTests, connectProxy, OUTBOUND_FAULTS, testPolicies, type TestRunner } from '@sluice/testkit'
 * import type { Outbound } from '@sluice/core'
 *
 * declare const mySuite: (runner: TestRunner, setup: () => Outbound) => void
 * await using proxy = await connectProxy()
 * for (const fault of OUTBOUND_FAULTS) {
 *   const tests = collectTests((runner) => mySuite(runner, () =>
 *     brokenOutbound({ proxyPort: proxy.port, policies: testPolicies(), fault })))
 *   let failed = 0
 *   for (const { run } of tests) await run().catch(() => { failed += 1 })
 *   console.log(`${fault}: ${failed} tests fail`)
 * }
 * ```
 */
export function brokenOutbound(options: BrokenOutboundOptions): TunnelOutbound {
  return new BrokenOutbound(options)
}

/** Often enough for a suite that carries many sessions, and too seldom for one that carries a few. */
const LEAK_EVERY = 50

class BrokenOutbound implements TunnelOutbound {
  readonly #proxyPort: number
  readonly #policies: PolicyManager
  readonly #fault: OutboundFault | undefined
  readonly #password: string | undefined
  #last: Connection | undefined
  #sessions = 0
  #running = 0

  constructor({ proxyPort, policies, fault, password }: BrokenOutboundOptions) {
    this.#proxyPort = proxyPort
    this.#policies = policies
    this.#fault = fault
    this.#password = password
  }

  async process(ctx: Context, link: Link, dialer: Dialer): Promise<void> {
    this.#running += 1
    try {
      await this.#process(ctx, link, dialer)
    } finally {
      this.#running -= 1
    }
  }

  close(): void {
    if (this.#fault === 'throws in close' && this.#running > 0) throw new Error('Cannot close: sessions are running')
  }

  async #process(ctx: Context, link: Link, dialer: Dialer): Promise<void> {
    const fault = this.#fault
    if (fault === 'opens early') link.open()
    if (fault === 'waits for the client') await once(link.reader, 'readable')
    const first = fault === 'reads before it opens' ? link.reader.read() as Buffer | null : null
    const connection = await this.connect(ctx, dialer).catch((error: unknown) => {
      throw fault === 'wraps the reason' && error === ctx.signal.reason ? new ProxyError('TIMEOUT', 'Cancelled', { cause: error }) : error
    })
    if (fault === 'never opens') return void connection.destroy()
    link.open()
    if (first !== null) connection.write(first)
    const policy = this.#policies.forLevel(0)
    this.#sessions += 1
    await brokenRelay(link, this.#mixUp(connection), {
      record: ctx.record, signal: ctx.signal, policy: fault === 'never idles' ? { ...policy, connIdleMs: Infinity } : policy,
      fault: fault === 'leaks with time' && this.#sessions % LEAK_EVERY === 0 ? 'leaves a timer' : fault,
    })
  }

  /** With that fault, every session gets the connection of the one before it, once there was one. */
  #mixUp(connection: Connection): Connection {
    const last = this.#last
    this.#last = connection
    return this.#fault === 'mixes sessions up' && last?.destroyed === false ? last : connection
  }

  async connect(ctx: Context, dialer: Dialer): Promise<Connection> {
    try {
      return await this.#attempt(ctx, dialer)
    } catch (error) {
      if (this.#fault !== 'repeats refusals' || ctx.signal.aborted) throw error
      return await this.#attempt(ctx, dialer)
    }
  }

  async #attempt(ctx: Context, dialer: Dialer): Promise<Connection> {
    ctx.record.attempts += 1
    ctx.signal.throwIfAborted()
    const connection = await dialer.dial(tcp('127.0.0.1', this.#proxyPort), { signal: ctx.signal, session: ctx })
    const authority = formatEndpoint(ctx.target)
    const credentials = this.#password === undefined ? '' : `Proxy-Authorization: Basic ${btoa(`me:${this.#password}`)}\r\n`
    connection.write(`CONNECT ${authority} HTTP/1.1\r\nHost: ${authority}\r\n${credentials}\r\n`)
    try {
      await this.#readAnswer(connection, ctx.signal)
      return connection
    } catch (error) {
      if (this.#fault !== 'leaves a socket') connection.destroy()
      throw error
    }
  }

  get #told(): string {
    return this.#fault === 'tells its password' ? ` to me:${this.#password}` : ''
  }

  #readAnswer(connection: Connection, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      let head = Buffer.alloc(0)
      const done = (error?: unknown): void => {
        connection.off('data', onData).off('close', onClose).pause()
        signal.removeEventListener('abort', onAbort)
        clearTimeout(limit)
        if (error === undefined) resolve()
        else reject(error)
      }
      const onData = (chunk: Buffer): void => {
        head = Buffer.concat([head, chunk])
        const end = head.indexOf('\r\n\r\n')
        if (end < 0) return
        const rest = head.subarray(end + 4)
        const status = Number(head.toString('latin1', 9, 12))
        done(status === 200 ? undefined : new ProxyError('STATUS', `The proxy answered ${status}${this.#told}`, { status }))
        if (rest.length > 0 && this.#fault !== 'loses early bytes') connection.unshift(rest)
      }
      const onClose = (): void => { done(new ProxyError('CLOSED', 'The proxy closed before it answered')) }
      const onAbort = (): void => { done(signal.reason) }
      const limitMs = this.#fault === 'forgets its limit' ? 60_000 : this.#policies.forLevel(0).handshakeMs
      const limit = setTimeout(() => { done(new ProxyError('TIMEOUT', 'The proxy did not answer')) }, limitMs)
      connection.on('data', onData).on('close', onClose)
      signal.addEventListener('abort', onAbort)
    })
  }
}
