import { InstanceEvents, type Link, type LogEntry, type Policy, type SessionRequest } from '@sluice/core'
import { Peer, tcpPair, testPolicies } from '@sluice/testkit'
import type { Socket } from 'node:net'
import { HttpInbound, type HttpInboundSettings } from '../src/index.js'

/** A session that the inbound dispatched, for the test to open and to end. */
export interface Dispatched {
  readonly request: SessionRequest
  readonly link: Link
  /** Settles `dispatch` in order. */
  end(): void
  fail(error: unknown): void
}

/** One client of an HTTP inbound, and what became of it. */
export interface Served {
  readonly client: Peer
  /** The inbound's end of the connection. */
  readonly connection: Socket
  /** What `handle` returned. */
  readonly handled: Promise<void>
  readonly sessions: readonly Dispatched[]
  readonly whenDispatched: Promise<Dispatched>
  readonly log: readonly LogEntry[]
  close(): Promise<void>
}

/** Connects a client, over a real socket, to an inbound whose dispatch does what the test says. */
export async function serve(settings: HttpInboundSettings = {}, policy: Partial<Policy> = {}): Promise<Served> {
  const [socket, connection] = await tcpPair()
  const events = new InstanceEvents()
  const log: LogEntry[] = []
  events.on('log', (entry) => log.push(entry))
  const sessions: Dispatched[] = []
  const inbound = new HttpInbound(settings, 'in', testPolicies(policy), events)
  let dispatched: (session: Dispatched) => void = () => {}
  const whenDispatched = new Promise<Dispatched>((resolve) => { dispatched = resolve })
  const handled = inbound.handle(connection, (request, link) => new Promise((end, fail) => {
    const session = { request, link, end, fail }
    sessions.push(session)
    dispatched(session)
  }))
  const client = new Peer(socket)
  return {
    client, connection, handled, sessions, whenDispatched, log,
    async close() {
      for (const session of sessions) session.end()
      socket.destroy()
      connection.destroy()
      await handled
      await client.closed
    },
  }
}
