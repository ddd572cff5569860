import {
  EVENTS, inject, injectable, POLICY_MANAGER, ProxyError, SETTINGS, TAG,
  type Connection, type Context, type Dialer, type InstanceEvents, type Link, type Phase, type Policy, type PolicyManager, type TunnelOutbound,
} from '@sluice/core'
import { abort, limitSignal, relay } from '@sluice/transport'
import type { Account } from './account.js'
import { Attempts, type Attempt } from './attempts.js'
import { HealthReport } from './health-report.js'
import { connectOverHttp1 } from './http1-connect.js'
import { Server } from './server.js'
import { ServerPicker } from './server-picker.js'
import type { HttpOutboundSettings } from './settings.js'
import { formatTarget } from './target-authority.js'

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
  readonly #headers: readonly (readonly [string, string])[]
  readonly #alpn: { readonly alpn?: readonly string[] }

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
    this.#headers = Object.entries(settings.headers ?? {})
    this.#alpn = settings.version === '1.1' ? { alpn: ['http/1.1'] } : {}
  }

  async process(ctx: Context, link: Link, dialer: Dialer): Promise<void> {
    const { connection, server, account } = await this.#open(ctx, dialer)
    link.open()
    await relay(link, connection, {
      ...this.#policy(ctx, account), record: ctx.record, signal: ctx.signal, halfClose: server.halfClose,
    })
  }

  async connect(ctx: Context, dialer: Dialer): Promise<Connection> {
    return (await this.#open(ctx, dialer)).connection
  }

  #open(ctx: Context, dialer: Dialer): Promise<Tunnel> {
    const target = formatTarget(ctx.target)
    const attempts = new Attempts(ctx, this.#servers, this.#picker, (account) => this.#policy(ctx, account).handshakeMs)
    return attempts.run(async (attempt) => {
      const knownFailure = attempt.server.health.admit()
      if (knownFailure !== undefined) throw knownFailure
      const startedAt = Date.now()
      ctx.record.server = attempt.server.name
      ctx.record.attempts++
      try {
        const connection = await this.#tunnel(ctx, dialer, attempt, target)
        this.#report.succeeded(attempt)
        return { ...attempt, connection }
      } catch (error) {
        this.#report.failed(attempt, error === ctx.signal.reason ? undefined : error, target, startedAt)
        throw error
      }
    })
  }

  /** Dials the attempt's server and asks it for the target, within the attempt's limit. */
  async #tunnel(ctx: Context, dialer: Dialer, { server, account, limitMs }: Attempt, authority: string): Promise<Connection> {
    let phase: Phase = 'dial'
    using limit = limitSignal(ctx.signal, limitMs, () => timeout(server, phase, limitMs))
    const { signal } = limit
    const connection = await dialer.dial(server.destination, { ...this.#alpn, signal, session: ctx, onPhase: (next) => { phase = next } })
    try {
      phase = 'connect'
      assertSpeaksHttp1(connection, server)
      const credentials = account === undefined ? {} : { credentials: account.credentials }
      await connectOverHttp1(connection, { authority, headers: this.#headers, server: server.name, ...credentials }, signal)
      return connection
    } catch (error) {
      abort(connection, error as Error)
      throw error
    }
  }

  /** The upstream account's level rules, without an account the inbound user's. */
  #policy(ctx: Context, account: Account | undefined): Policy {
    return this.#policies.forLevel(account?.level ?? ctx.user?.level ?? 0)
  }
}

function assertSpeaksHttp1({ alpnProtocol }: Connection, { name }: Server): void {
  if (typeof alpnProtocol !== 'string' || alpnProtocol === 'http/1.1' || alpnProtocol === 'http/1.0') return
  const hint = alpnProtocol === 'h2' ? ': HTTP/2 is not supported yet, set "version": "1.1"' : ''
  throw new ProxyError('ALPN', `Server ${name} chose ALPN protocol "${alpnProtocol}"${hint}`, { phase: 'tls', server: name })
}

function timeout({ name }: Server, phase: Phase, limitMs: number): ProxyError {
  const doing = phase === 'connect' ? 'no answer to CONNECT' : phase === 'tls' ? 'no TLS handshake' : 'no connection'
  return new ProxyError('TIMEOUT', `Server ${name} gave ${doing} within ${limitMs} ms`, { phase, server: name })
}
