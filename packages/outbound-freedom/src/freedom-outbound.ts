import {
  formatEndpoint, inject, injectable, POLICY_MANAGER, ProxyError, SETTINGS,
  type Connection, type Context, type Dialer, type Link, type Policy, type PolicyManager, type TunnelOutbound,
} from '@sluice/core'
import { limitSignal, relay } from '@sluice/transport'
import type { FreedomOutboundSettings } from './settings.js'

/** Dials the target itself, once: its resolver and the dialer's happy eyeballs are all that can be tried. */
@injectable()
export class FreedomOutbound implements TunnelOutbound {
  readonly #level: number | undefined
  readonly #policies: PolicyManager

  constructor(@inject(SETTINGS) settings: FreedomOutboundSettings, @inject(POLICY_MANAGER) policies: PolicyManager) {
    this.#level = settings.userLevel
    this.#policies = policies
  }

  async process(ctx: Context, link: Link, dialer: Dialer): Promise<void> {
    const connection = await this.connect(ctx, dialer)
    link.open()
    await relay(link, connection, { ...this.#policy(ctx), record: ctx.record, signal: ctx.signal })
  }

  async connect(ctx: Context, dialer: Dialer): Promise<Connection> {
    const { target, record, signal: parent } = ctx
    const { handshakeMs } = this.#policy(ctx)
    if (target.network === 'udp') throw new ProxyError('UNSUPPORTED', 'Cannot carry UDP', { side: 'downstream' })
    record.attempts++
    using limit = limitSignal(parent, handshakeMs, () => new ProxyError('TIMEOUT',
      `Target ${formatEndpoint(target)} gave no connection within ${handshakeMs} ms`, { phase: 'dial' }))
    return await dialer.dial(target, { signal: limit.signal, session: ctx })
  }

  #policy(ctx: Context): Policy {
    return this.#policies.forLevel(this.#level ?? ctx.user?.level ?? 0)
  }
}
