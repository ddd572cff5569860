import { duplexPair, type Duplex } from 'node:stream'
import { Dispatcher, type DispatcherParts } from '../src/instance/dispatcher.js'
import { defaultPolicies, noRules, noStats } from '../src/instance/null-features.js'
import { DialingOutboundHandler, Outbounds } from '../src/instance/outbounds.js'
import type { Origin } from '../src/instance/session.js'
import { SessionTable } from '../src/instance/session-table.js'
import { InstanceEvents, tcp, type Context, type Dialer, type Link, type LogEntry, type SessionRequest } from '../src/index.js'
import { ConnectionLink } from './memory-modules.js'

export type Process = (ctx: Context, link: Link, dialer: Dialer) => Promise<void>

const noDialer: Dialer = { dial: () => Promise.reject(new Error('Nothing is dialled here')) }

/** A dispatcher with one or more outbounds, and what it told while it carried sessions. */
export class Carrier {
  readonly events = new InstanceEvents()
  readonly sessions = new SessionTable()
  readonly outbounds = new Outbounds()
  /** The session events in order, as `open 1`. */
  readonly told: string[] = []
  readonly logged: LogEntry[] = []
  readonly closed: Context[] = []
  readonly #dispatcher: Dispatcher

  constructor(processes: Readonly<Record<string, Process>>, parts: Partial<DispatcherParts> = {}) {
    for (const [tag, process] of Object.entries(processes)) {
      this.outbounds.add(new DialingOutboundHandler(tag, 'script', { process }, noDialer))
    }
    const names = ['session:open', 'session:established', 'session:close'] as const
    for (const name of names) this.events.on(name, ({ id }) => void this.told.push(`${name.slice(8)} ${id}`))
    this.events.on('session:close', (session) => void this.closed.push(session))
    this.events.on('log', (entry) => void this.logged.push(entry))
    const { events, sessions, outbounds } = this
    this.#dispatcher = new Dispatcher({ events, sessions, outbounds, router: noRules, policies: defaultPolicies, stats: noStats, ...parts })
  }

  dispatch(link: Link, request: SessionRequest = { target: tcp('example.com', 443) }, origin: Origin = { inboundTag: 'in' }): Promise<void> {
    return this.#dispatcher.dispatch(origin, request, link)
  }
}

/** A client and the inbound's link to it. */
export function client(): { socket: Duplex; link: ConnectionLink } {
  const [socket, accepted] = duplexPair()
  socket.on('error', () => {})
  accepted.on('error', () => {})
  return { socket, link: new ConnectionLink(accepted) }
}

/** The reason of a rejection, or `undefined` if there is none. */
export async function rejection(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise
    return undefined
  } catch (error) {
    return error
  }
}
