import type { Context } from '../contracts/context.js'
import type { PolicyManager, Router, StatsManager } from '../contracts/features.js'
import type { SessionRequest } from '../contracts/inbound.js'
import type { Link } from '../contracts/link.js'
import type { OutboundHandler, OutboundManager } from '../contracts/outbound.js'
import type { Sniffer } from '../contracts/sniffer.js'
import { formatEndpoint } from '../destination.js'
import { printable } from '../errors/printable.js'
import { isProxyError, ProxyError, toProxyError } from '../errors/proxy-error.js'
import type { InstanceEvents } from '../events.js'
import { Session, type Origin } from './session.js'
import { SessionCounters } from './session-counters.js'
import { SessionLink } from './session-link.js'
import { sniff } from './sniff.js'
import type { SessionTable } from './session-table.js'

export interface DispatcherParts {
  readonly events: InstanceEvents
  readonly sessions: SessionTable
  readonly outbounds: OutboundManager
  readonly router: Router
  readonly policies: PolicyManager
  readonly stats: StatsManager
}

/** Gives each session an identity, finds the outbound that carries it, and keeps its account to the end. */
export class Dispatcher {
  readonly #parts: DispatcherParts
  readonly #counters: SessionCounters
  #nextId = Math.floor(Math.random() * 0x1_0000_0000)

  constructor(parts: DispatcherParts) {
    this.#parts = parts
    this.#counters = new SessionCounters(parts.stats, parts.policies)
  }

  /**
   * Carries one session to its end.
   * @throws {ProxyError} if it did not open and its client was not answered early. Once it opened, its end is told by events only.
   */
  async dispatch(origin: Origin, request: SessionRequest, inboundLink: Link): Promise<void> {
    const { events, sessions } = this.#parts
    const session = new Session(this.#takeId(), origin, request, inboundLink.http)
    const stopCounting = this.#counters.attach(session)
    const link = new SessionLink(inboundLink, session, events)
    sessions.add(session)
    try {
      if (origin.sniffer?.wants(session) === true && session.http === undefined) await this.#sniff(session, link, origin.sniffer)
      await this.#carry(session, link)
    } catch (error) {
      this.#fail(session, link, error)
      if (!link.answered) throw toProxyError(error)
    } finally {
      link.release()
      stopCounting()
      session.record.durationMs = session.elapsedMs
      sessions.delete(session)
      events.emit('session:close', session)
    }
  }

  async #carry(session: Session, link: SessionLink): Promise<void> {
    const handler = await this.#route(session)
    session.record.outboundTag = handler.tag
    this.#parts.events.emit('session:open', session)
    session.signal.throwIfAborted()
    await handler.process(session, link)
    if (!link.opened) {
      const bug = new ProxyError('INTERNAL', `Outbound "${handler.tag}" ended without opening the link`, { side: 'internal' })
      link.abort(bug)
      throw bug
    }
    session.record.outcome ??= 'closed'
  }

  /** A client speaks only once it was answered. What it says is looked at and stays in the link. */
  async #sniff(session: Session, link: SessionLink, sniffer: Sniffer): Promise<void> {
    link.answerEarly()
    const sniffed = await sniff(link.reader, (head) => sniffer.read(head, session), session.signal)
    session.signal.throwIfAborted()
    if (sniffed === undefined) return
    session.sniffed = sniffed
    if (sniffed.domain !== undefined && !sniffer.routeOnly) session.target = { ...session.target, host: sniffed.domain }
  }

  async #route(session: Context): Promise<OutboundHandler> {
    const { router, outbounds } = this.#parts
    const route = await router.route(session)
    const handler = route === undefined ? outbounds.default : outbounds.get(route.outboundTag)
    if (handler !== undefined) return handler
    const missing = route === undefined ? 'the config has no outbound' : `no outbound has the tag "${route.outboundTag}"`
    throw new ProxyError('INTERNAL', `Cannot route to ${nameOf(session)}: ${missing}`, { side: 'internal' })
  }

  /** The one place where the failure of a session is recorded and logged. */
  #fail(session: Session, link: SessionLink, error: unknown): void {
    const { record, signal } = session
    const { events } = this.#parts
    record.error = error
    record.outcome = signal.aborted && error === signal.reason ? 'cancelled' : link.opened ? 'aborted' : 'failed'
    if (link.opened ? !isProxyError(error) : link.answered) link.abort(toProxyError(error))
    const level = record.outcome === 'failed' || !isProxyError(error) ? 'warning' : 'info'
    const where = `${nameOf(session)} [${record.outboundTag ?? ''}]`
    events.log(level, `${where} ${record.outcome}: ${toProxyError(error).message}`, { session, error })
  }

  #takeId(): string {
    this.#nextId = (this.#nextId + 1) % 0x1_0000_0000
    return String(this.#nextId)
  }
}

/** The target for messages. Its name is what the client sent, whatever that was. */
function nameOf({ target }: Context): string {
  return printable(formatEndpoint(target))
}
