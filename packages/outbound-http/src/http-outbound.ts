import {
  EVENTS, inject, injectable, POLICY_MANAGER, SETTINGS, TAG,
  type Connection, type Context, type Dialer, type InstanceEvents, type Link, type Policy, type PolicyManager, type TunnelOutbound,
} from '@sluice/core'
import { abort, relay } from '@sluice/transport'
import type { Account } from './account.js'
import type { Attempt } from './attempt.js'
import { Attempts } from './attempts.js'
import { EarlyData } from './early-data.js'
import { HealthReport } from './health-report.js'
import { OptimisticSession } from './optimistic-session.js'
import { Outrun } from './race.js'
import { Server } from './server.js'
import { ServerPicker } from './server-picker.js'
import type { HttpOutboundSettings } from './settings.js'
import { formatTarget } from './target-authority.js'
import { Tunnels, type OpenControl } from './tunnels.js'

/** An open tunnel and whose it is. */
interface Tunnel extends Attempt {
  readonly connection: Connection
}

/** Carries sessions through upstream HTTP proxies by CONNECT (RFC 9110 §9.3.6). */
@injectable()
export class HttpOutbound implements TunnelOutbound {
  readonly #policies: PolicyManager
  readonly #servers: readonly Server[]
  readonly #picker: ServerPicker
  readonly #report: HealthReport
  readonly #tunnels: Tunnels
  readonly #isOptimistic: boolean
  readonly #sendsEarly: boolean

  constructor(
    @inject(SETTINGS) settings: HttpOutboundSettings,
    @inject(TAG) tag: string,
    @inject(POLICY_MANAGER) policies: PolicyManager,
    @inject(EVENTS) events: InstanceEvents,
  ) {
    this.#policies = policies
    this.#servers = settings.servers.map((server) => new Server(server, settings.halfClose ?? 'propagate'))
    this.#picker = new ServerPicker(this.#servers)
    this.#report = new HealthReport(events, tag)
    this.#tunnels = new Tunnels(settings)
    this.#sendsEarly = settings.earlyData ?? false
    this.#isOptimistic = this.#sendsEarly || (settings.optimisticOpen ?? false)
  }

  async process(ctx: Context, link: Link, dialer: Dialer): Promise<void> {
    const tunnel = this.#isOptimistic ? this.#openOptimistically(ctx, link, dialer) : this.#open(ctx, dialer)
    const { connection, server, account } = await tunnel
    link.open()
    await relay(link, connection, {
      ...this.#policy(ctx, account), record: ctx.record, signal: ctx.signal, halfClose: server.halfClose,
    })
  }

  async connect(ctx: Context, dialer: Dialer): Promise<Connection> {
    return (await this.#open(ctx, dialer)).connection
  }

  close(): void {
    this.#tunnels.close()
  }

  async #openOptimistically(ctx: Context, link: Link, dialer: Dialer): Promise<Tunnel> {
    using session = new OptimisticSession(ctx, link)
    try {
      return await this.#open(session.ctx, dialer, this.#sendsEarly ? new EarlyData(link.reader, ctx.record) : undefined)
    } catch (error) {
      session.fail(error)
      throw error
    }
  }

  async #open(ctx: Context, dialer: Dialer, early?: EarlyData): Promise<Tunnel> {
    const target = formatTarget(ctx.target)
    const attempts = new Attempts(ctx, this.#servers, this.#picker, (account) => this.#policy(ctx, account).handshakeMs)
    let running = 0
    const tunnel = await attempts.run(async (attempt, control) => {
      if (running++ > 0) early?.forgo()
      try {
        return await this.#try(ctx, dialer, attempt, target, { ...control, early })
      } finally {
        running--
      }
    }, {
      discard: ({ connection }) => abort(connection, new Error('Another server opened the tunnel first')),
      isFinal: () => early?.hasSent ?? false,
    })
    ctx.record.server = tunnel.server.name
    return tunnel
  }

  async #try(ctx: Context, dialer: Dialer, attempt: Attempt, target: string, control: OpenControl): Promise<Tunnel> {
    const knownFailure = attempt.server.health.admit()
    if (knownFailure !== undefined) throw knownFailure
    const startedAt = performance.now()
    ctx.record.server = attempt.server.name
    ctx.record.attempts++
    try {
      const connection = await this.#tunnels.open(dialer, attempt, target, control)
      this.#report.succeeded(attempt)
      return { ...attempt, connection }
    } catch (error) {
      const isBrokenOff = error === control.signal.reason
      if (error instanceof Outrun) this.#report.outrun(attempt, error, startedAt)
      else this.#report.failed(attempt, isBrokenOff ? undefined : error, target, startedAt)
      throw error
    }
  }

  /** The upstream account's level rules, without an account the inbound user's. */
  #policy(ctx: Context, account: Account | undefined): Policy {
    return this.#policies.forLevel(account?.level ?? ctx.user?.level ?? 0)
  }
}
