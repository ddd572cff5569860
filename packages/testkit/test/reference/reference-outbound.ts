import { once } from 'node:events'
import {
  formatEndpoint, ProxyError, tcp, type Connection, type Context, type Dialer, type Link, type PolicyManager, type TunnelOutbound,
} from '@sluice/core'
import { referenceRelay } from './reference-relay.js'

/** A mistake that somebody may make in an outbound. */
export type OutboundFault =
  | 'opens early' | 'loses early bytes' | 'forgets half-close' | 'ends cleanly' | 'floods' | 'leaks' | 'wraps the reason'
  | 'repeats refusals'
  | 'reads before it opens' | 'waits for the client' | 'leaves a timer' | 'leaves a socket' | 'forgets its limit' | 'never idles'
  | 'mixes sessions up'

/** An HTTP CONNECT outbound in its plainest form, right but for the fault that it is asked to have. */
export class ReferenceOutbound implements TunnelOutbound {
  readonly #proxyPort: number
  readonly #policies: PolicyManager
  readonly #fault: OutboundFault | undefined
  #last: Connection | undefined

  constructor(proxyPort: number, policies: PolicyManager, fault?: OutboundFault) {
    this.#proxyPort = proxyPort
    this.#policies = policies
    this.#fault = fault
  }

  async process(ctx: Context, link: Link, dialer: Dialer): Promise<void> {
    const fault = this.#fault
    if (fault === 'opens early') link.open()
    if (fault === 'waits for the client') await once(link.reader, 'readable')
    const first = fault === 'reads before it opens' ? link.reader.read() as Buffer | null : null
    const connection = await this.connect(ctx, dialer).catch((error: unknown) => {
      throw fault === 'wraps the reason' && error === ctx.signal.reason ? new ProxyError('TIMEOUT', 'Cancelled', { cause: error }) : error
    })
    link.open()
    if (first !== null) connection.write(first)
    const policy = this.#policies.forLevel(0)
    await referenceRelay(link, this.#mixUp(connection), {
      record: ctx.record, signal: ctx.signal, policy: fault === 'never idles' ? { ...policy, connIdleMs: Infinity } : policy,
      forgetsHalfClose: fault === 'forgets half-close', endsCleanly: fault === 'ends cleanly', floods: fault === 'floods',
      leavesListener: fault === 'leaks', leavesTimer: fault === 'leaves a timer',
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
    connection.write(`CONNECT ${authority} HTTP/1.1\r\nHost: ${authority}\r\n\r\n`)
    try {
      await this.#readAnswer(connection, ctx.signal)
      return connection
    } catch (error) {
      if (this.#fault !== 'leaves a socket') connection.destroy()
      throw error
    }
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
        done(status === 200 ? undefined : new ProxyError('STATUS', `The proxy answered ${status}`, { status }))
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
