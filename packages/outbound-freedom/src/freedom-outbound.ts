import { isIP } from 'node:net'
import {
  formatEndpoint, inject, injectable, POLICY_MANAGER, ProxyError, RESOLVER, SETTINGS,
  type Connection, type Context, type Destination, type Dialer, type Link, type Policy, type PolicyManager, type Resolver,
  type TunnelOutbound,
} from '@sluice/core'
import { limitSignal, relay } from '@sluice/transport'
import { parseRedirect, redirected, type Redirect } from './redirect.js'
import type { DomainStrategy, FreedomOutboundSettings } from './settings.js'

/** What a strategy asks for, by the end of its name: one family or both, and which goes first. */
const FAMILIES: Readonly<Record<string, readonly [family: 0 | 4 | 6, first?: 4 | 6]>> = {
  '': [0], v4: [4], v6: [6], v4v6: [0, 4], v6v4: [0, 6],
}

/** Dials the target itself, once: all addresses that its name has are tried within that. */
@injectable()
export class FreedomOutbound implements TunnelOutbound {
  readonly #level: number | undefined
  readonly #strategy: DomainStrategy
  readonly #redirect: Redirect
  readonly #policies: PolicyManager
  readonly #resolver: Resolver

  constructor(
    @inject(SETTINGS) settings: FreedomOutboundSettings,
    @inject(POLICY_MANAGER) policies: PolicyManager,
    @inject(RESOLVER) resolver: Resolver,
  ) {
    this.#level = settings.userLevel
    this.#strategy = settings.domainStrategy ?? 'AsIs'
    this.#redirect = parseRedirect(settings.redirect ?? '') ?? {}
    this.#policies = policies
    this.#resolver = resolver
  }

  async process(ctx: Context, link: Link, dialer: Dialer): Promise<void> {
    const connection = await this.connect(ctx, dialer)
    link.open()
    await relay(link, connection, { ...this.#policy(ctx), record: ctx.record, signal: ctx.signal })
  }

  async connect(ctx: Context, dialer: Dialer): Promise<Connection> {
    const { record, signal: parent } = ctx
    const { handshakeMs } = this.#policy(ctx)
    if (ctx.target.network === 'udp') throw new ProxyError('UNSUPPORTED', 'Cannot carry UDP', { side: 'downstream' })
    const target = redirected(ctx.target, this.#redirect)
    record.attempts++
    using limit = limitSignal(parent, handshakeMs, () => new ProxyError('TIMEOUT',
      `Target ${formatEndpoint(target)} gave no connection within ${handshakeMs} ms`, { phase: 'dial' }))
    const { signal } = limit
    return await this.#dialFirst(await this.#resolved(target, signal), dialer, { signal, session: ctx })
  }

  /** The target's addresses, or the target itself where the dialer is to resolve it. */
  async #resolved(target: Destination, signal: AbortSignal): Promise<readonly Destination[]> {
    if (this.#strategy === 'AsIs' || isIP(target.host) !== 0) return [target]
    const [family, first] = FAMILIES[this.#strategy.replace(/^\w+IP/, '')] ?? [0]
    const found = await this.#resolver.resolve(target.host, { family, signal })
    const addresses = first === undefined ? found : [...found].sort((a, b) => Number(isIP(b) === first) - Number(isIP(a) === first))
    return addresses.map((host) => ({ ...target, host }))
  }

  async #dialFirst(targets: readonly Destination[], dialer: Dialer, options: Parameters<Dialer['dial']>[1]): Promise<Connection> {
    let failure: unknown
    for (const target of targets) {
      try {
        return await dialer.dial(target, options)
      } catch (error) {
        options.signal.throwIfAborted()
        failure ??= error
      }
    }
    throw failure
  }

  #policy(ctx: Context): Policy {
    return this.#policies.forLevel(this.#level ?? ctx.user?.level ?? 0)
  }
}
