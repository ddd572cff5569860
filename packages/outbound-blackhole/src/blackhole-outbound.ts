import { finished } from 'node:stream/promises'
import {
  formatEndpoint, inject, injectable, POLICY_MANAGER, ProxyError, SETTINGS,
  type Context, type Link, type Outbound, type PolicyManager,
} from '@sluice/core'
import { limitSignal } from '@sluice/transport'
import type { BlackholeOutboundSettings } from './settings.js'

const FORBIDDEN = [
  'HTTP/1.1 403 Forbidden', 'Connection: close', 'Cache-Control: no-store', 'Content-Type: text/plain', 'Content-Length: 8',
  '', 'Blocked\n',
].join('\r\n')

/** Refuses every session before anything is dialled. */
@injectable()
export class BlackholeOutbound implements Outbound {
  readonly #answers: boolean
  readonly #policies: PolicyManager

  constructor(@inject(SETTINGS) { response }: BlackholeOutboundSettings, @inject(POLICY_MANAGER) policies: PolicyManager) {
    this.#answers = response?.type === 'http'
    this.#policies = policies
  }

  /**
   * @throws {ProxyError} BLOCKED, unless it answers over HTTP: then the session opens, and ends in order.
   * @throws `ctx.signal.reason` as it is.
   */
  async process(ctx: Context, link: Link): Promise<void> {
    if (!this.#answers) throw new ProxyError('BLOCKED', `Target ${formatEndpoint(ctx.target)} is blocked`, { side: 'internal' })
    ctx.signal.throwIfAborted()
    link.open()
    await this.#answer(ctx, link)
    ctx.record.outcome = 'closed'
  }

  /** Sends the page and waits for the client to go; one that stays is cut at the end of `uplinkOnly`. */
  async #answer({ record, signal, user }: Context, link: Link): Promise<void> {
    const { reader, writer } = link
    const { uplinkOnlyMs } = this.#policies.forLevel(user?.level ?? 0)
    const stays = new ProxyError('ABORT', 'The client stayed after it was told that its target is blocked', { side: 'downstream' })
    using limit = limitSignal(signal, Math.max(uplinkOnlyMs, 1), () => stays)
    reader.resume()
    writer.end(FORBIDDEN)
    record.downlinkBytes += FORBIDDEN.length
    try {
      await finished(writer, { signal: limit.signal, readable: false })
      await finished(reader, { signal: limit.signal, writable: false })
    } catch {
      // It left, or stayed too long: there is nothing that it could still be told.
      link.abort(stays)
      signal.throwIfAborted()
    }
  }
}
