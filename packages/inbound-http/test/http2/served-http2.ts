import { once } from 'node:events'
import { connect, type ClientHttp2Session, type ClientHttp2Stream, type IncomingHttpHeaders } from 'node:http2'
import type { TLSSocket } from 'node:tls'
import {
  InstanceEvents, type Connection, type Dispatch, type Link, type ListenerFactory, type LogEntry, type Policy, type SessionRequest,
} from '@sluice/core'
import { connectTlsTo, createCertificates, testPolicies, until, within } from '@sluice/testkit'
import { transport } from '@sluice/transport'
import { httpInbound, HttpInbound, type HttpInboundSettings } from '../../src/index.js'

export const certificates = await createCertificates()
const { certPem, keyPem } = await certificates.issue()
const stream = { security: 'tls', tlsSettings: { certificates: [{ certificate: [certPem], key: [keyPem] }] } } as const

/** A session that the inbound dispatched, for the test to open and to end. */
export interface Dispatched {
  readonly request: SessionRequest
  readonly link: Link
  /** Opens the link and sends back what comes. */
  echo(): void
  /** Settles `dispatch` in order. */
  end(): void
  fail(error: unknown): void
}

/** One connection over TLS, on which h2 was agreed because an HTTP inbound would serve it. */
export interface Accepted {
  readonly socket: TLSSocket
  readonly connection: Connection
  /** Closes the listener, and what is left of the connection. */
  close(): Promise<void>
}

export async function accept(events = new InstanceEvents()): Promise<Accepted> {
  const Factory = transport.listeners as new (events: InstanceEvents) => ListenerFactory
  const { alpn = [] } = httpInbound
  const listener = new Factory(events).create({ listen: '127.0.0.1', port: 0, stream, handshakeMs: 5_000, alpn })
  const accepted: Connection[] = []
  const { port } = await listener.start((connection) => accepted.push(connection))
  const socket = await connectTlsTo(port, certificates, { alpn: ['h2', 'http/1.1'] })
  await until(() => accepted.length > 0, 'the connection')
  return { socket, connection: accepted[0] as Connection, close: () => listener.close() }
}

/** An HTTP inbound with one such connection. */
export interface Served extends Accepted, AsyncDisposable {
  readonly inbound: HttpInbound
  /** What `handle` returned. */
  readonly handled: Promise<void>
  readonly sessions: readonly Dispatched[]
  readonly log: readonly LogEntry[]
  /** The n-th session, as soon as it is dispatched. */
  session(index?: number): Promise<Dispatched>
}

/** @param before Awaited with the connection before the inbound gets it. */
export async function serveHttp2(
  settings: HttpInboundSettings = {}, policy: Partial<Policy> = {}, before?: (connection: Connection) => Promise<void>,
): Promise<Served> {
  const events = new InstanceEvents()
  const accepted = await accept(events)
  const { socket, connection } = accepted
  const log: LogEntry[] = []
  events.on('log', (entry) => log.push(entry))
  const sessions: Dispatched[] = []
  const inbound = new HttpInbound(settings, 'in', testPolicies(policy), events)
  const dispatch: Dispatch = (request, link) => new Promise((end, fail) => {
    const echo = (): void => {
      link.open()
      link.reader.pipe(link.writer)
    }
    link.reader.once('close', end)
    sessions.push({ request, link, echo, end, fail })
  })
  const handled = Promise.resolve(before?.(connection)).then(() => inbound.handle(connection, dispatch))
  return {
    ...accepted, inbound, handled, sessions, log,
    async session(index = 0) {
      await until(() => index < sessions.length, `session ${index}`)
      return sessions[index] as Dispatched
    },
    async [Symbol.asyncDispose]() {
      for (const session of sessions) session.end()
      socket.destroy()
      await within(2_000, 'handle() to settle', handled)
      await accepted.close()
    },
  }
}

/** Looks at the first bytes and puts them back, as one does who serves several protocols on a port. */
export async function peek(connection: Connection): Promise<void> {
  const [chunk] = await once(connection, 'data') as [Buffer]
  connection.pause()
  connection.unshift(chunk)
}

/** A client as Node has it, on the connection that is served. */
export function clientOn({ socket }: Pick<Accepted, 'socket'>): ClientHttp2Session {
  return connect('https://proxy.test', { createConnection: () => socket }).on('error', () => {})
}

/** One CONNECT of such a client. */
export interface Tunnel {
  readonly stream: ClientHttp2Stream
  /** The answer; `undefined` as long as there is none. */
  readonly answer: IncomingHttpHeaders | undefined
  readonly received: string
  /** The target's end came as one. */
  readonly ended: boolean
  readonly closed: boolean
  answered(): Promise<IncomingHttpHeaders>
  receives(text: string): Promise<void>
}

export function connectTo(client: ClientHttp2Session, authority = 'target.test:443', fields: Record<string, string> = {}): Tunnel {
  const stream = client.request({ ':method': 'CONNECT', ':authority': authority, ...fields }, { endStream: false })
  let answer: IncomingHttpHeaders | undefined
  let received = ''
  let ended = false
  let closed = false
  stream.on('error', () => {})
  stream.once('response', (headers) => { answer = headers })
  stream.setEncoding('utf8').on('data', (text: string) => { received += text })
  // Of a stream that was cut Node tells `end` as well.
  stream.once('end', () => { ended = !stream.aborted && (stream.rstCode ?? 0) === 0 })
  stream.once('close', () => { closed = true })
  return {
    stream,
    get answer() { return answer },
    get received() { return received },
    get ended() { return ended },
    get closed() { return closed },
    async answered() {
      await until(() => answer !== undefined || closed, 'the answer')
      if (answer === undefined) throw new Error(`The stream was closed with ${stream.rstCode} and no answer`)
      return answer
    },
    receives: (text) => until(() => received.includes(text), () => `"${text}": got "${received}"`),
  }
}
