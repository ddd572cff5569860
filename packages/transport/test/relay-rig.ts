import { getEventListeners, once } from 'node:events'
import { connect as connectHttp2, createServer, type ClientHttp2Session, type ServerHttp2Stream } from 'node:http2'
import type { AddressInfo, Socket } from 'node:net'
import type { Duplex, Readable, Writable } from 'node:stream'
import { connect as connectTls, TLSSocket } from 'node:tls'
import type { Connection, Link, SessionRecord } from '@sluice/core'
import { createCertificates, leakCounter, Peer, tcpPair, tlsPair, until, within, type Certificates } from '@sluice/testkit'
import { expect } from 'vitest'
import { abort, connectionPair, linkRawSocket, relay, SocketLink, type RelayOptions } from '../src/index.js'
import { rawSocketOf } from '../src/raw-socket.js'

/** `nested`: TLS within an HTTP/2 tunnel, as when one outbound is dialled through another. */
export type Kind = 'tcp' | 'tls' | 'http2' | 'pair' | 'nested'

export interface RigOptions extends Partial<Omit<RelayOptions, 'record'>> {
  /** What the link is made of. `split`: reader and writer are two streams. @default tcp */
  readonly downstream?: 'tcp' | 'tls' | 'pair' | 'split'
  /** Called with both streams right before they are relayed. */
  readonly before?: (link: Link, connection: Connection, rig: { client: Peer; target: Peer }) => void | Promise<void>
}

/** A relay between two real connections, with a peer at each far end. Disposing proves that nothing is left. */
export interface Rig extends AsyncDisposable {
  readonly client: Peer
  readonly target: Peer
  readonly link: Link
  readonly connection: Connection
  readonly record: SessionRecord
  readonly controller: AbortController
  /** Settles as `relay` does. */
  readonly done: Promise<void>
}

const EVENTS = ['data', 'readable', 'drain', 'error', 'close', 'aborted', 'pause', 'resume']

let issued: Promise<Certificates> | undefined

function listenersOf(streams: readonly (Readable | Writable)[]): number[][] {
  return streams.map((stream) => EVENTS.map((event) => stream.listenerCount(event)))
}

async function connectionOf(kind: Kind | 'split'): Promise<{ near: Connection; far: Duplex; close: () => void }> {
  if (kind === 'pair' || kind === 'split') {
    const [near, far] = connectionPair()
    return { near, far, close: () => {} }
  }
  if (kind === 'tcp') {
    const [near, far] = await tcpPair()
    return { near, far, close: () => {} }
  }
  if (kind === 'tls') {
    const pair = await tlsPair(await (issued ??= createCertificates()))
    pair.forEach((socket, index) => linkRawSocket(socket, pair.raw[index] as Duplex))
    return { near: pair[0], far: pair[1], close: () => {} }
  }
  return kind === 'http2' ? http2Connection() : nestedConnection()
}

/** A tunnel over HTTP/2, with windows as a real client has them. */
async function http2Connection(): Promise<{ near: Connection; far: Duplex; close: () => void }> {
  const settings = { initialWindowSize: 1 << 20 }
  const server = createServer({ settings })
  server.on('session', (session) => session.setLocalWindowSize(4 << 20))
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const session: ClientHttp2Session = connectHttp2(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, { settings })
  const near = session.request({ ':method': 'CONNECT', ':authority': 'target.test:443' }).on('error', () => {})
  const [far] = await once(server, 'stream') as [ServerHttp2Stream]
  far.respond({ ':status': 200 })
  await once(near, 'response')
  near.pause()
  return { near, far, close: () => { session.destroy(); server.close() } }
}

async function nestedConnection(): Promise<{ near: Connection; far: Duplex; close: () => void }> {
  const outer = await http2Connection()
  const certificates = await (issued ??= createCertificates())
  const { certPem: cert, keyPem: key } = await certificates.issue()
  const far = new TLSSocket(outer.far as Socket, { isServer: true, cert, key }).on('error', () => {})
  const near = connectTls({ socket: outer.near, servername: 'localhost', ca: certificates.ca.certPem }).on('error', () => {})
  linkRawSocket(near, outer.near)
  linkRawSocket(far, outer.far)
  await once(near, 'session')
  return { near, far, close: outer.close }
}

/** A link of two streams that know nothing of each other. */
class SplitLink implements Link {
  readonly opened = true
  readonly reader: Readable
  readonly writer: Writable

  constructor(reader: Readable, writer: Writable) {
    this.reader = reader
    this.writer = writer
  }

  open(): void {}

  abort(error: Error): void {
    abort(this.reader, error)
    abort(this.writer, error)
  }
}

/** A client that sends on one connection and receives on another. */
class SplitPeer extends Peer {
  readonly sender: Duplex

  constructor(sender: Duplex, receiver: Duplex) {
    super(receiver)
    this.sender = sender
  }

  override async send(data: string | Uint8Array): Promise<void> {
    this.sender.write(data)
  }

  override async fin(): Promise<void> {
    this.sender.end()
  }
}

export async function rig(upstream: Kind, { downstream = 'tcp', before, ...limits }: RigOptions = {}): Promise<Rig> {
  if (upstream === 'tls' || upstream === 'nested' || downstream === 'tls') await (issued ??= createCertificates())
  const counter = leakCounter()
  const up = await connectionOf(upstream)
  const down = await connectionOf(downstream)
  const sending = downstream === 'split' ? await connectionOf('split') : undefined
  const link = sending === undefined ? new SocketLink(down.near, () => {}) : new SplitLink(sending.near, down.near)
  const client = sending === undefined ? new Peer(down.far) : new SplitPeer(sending.far, down.far)
  const target = new Peer(up.far)
  const record: SessionRecord = { startedAt: Date.now(), uplinkBytes: 0, downlinkBytes: 0, attempts: 1 }
  const controller = new AbortController()
  link.open()
  await before?.(link, up.near, { client, target })

  const streams = [link.reader, link.writer, up.near]
  const listeners = listenersOf(streams)
  const options = { record, signal: controller.signal, connIdleMs: 10_000, uplinkOnlyMs: 10_000, downlinkOnlyMs: 10_000, ...limits }
  const left: string[] = []
  const done = relay(link, up.near, options).finally(() => {
    for (const [index, counts] of listenersOf(streams).entries()) {
      counts.forEach((count, event) => { if (count > (listeners[index]?.[event] ?? 0)) left.push(`${EVENTS[event]} of stream ${index}`) })
    }
    if (getEventListeners(controller.signal, 'abort').length > 0) left.push('abort of the signal')
  })
  done.catch(() => {})
  return {
    client, target, link, record, controller, done,
    connection: up.near,
    async [Symbol.asyncDispose]() {
      await within(2_000, 'the relay to settle', done.catch(() => {}))
      for (const stream of [up.far, down.far, sending?.far]) stream?.destroy()
      await until(() => streams.every((stream) => stream.destroyed), 'both sides to be ended')
      up.close()
      await counter.expectNoLeaks()
      expect(left, 'listeners left').toEqual([])
    },
  }
}

/** Cuts a peer's connection off: by an RST, or by the loss of the HTTP/2 session below. */
export function cut({ socket }: Peer): void {
  const raw = socket instanceof TLSSocket ? rawSocketOf(socket) as Socket | ServerHttp2Stream : undefined
  if (raw !== undefined && 'session' in raw) raw.session?.destroy()
  else abort(socket, new Error('cut by the test'))
}

/** Proves that a peer's connection is cut, also where Node shows an RST as an end: nothing can be written any more. */
export async function expectCut(peer: Peer): Promise<void> {
  await until(() => peer.ended || peer.socket.destroyed, 'the end of the connection')
  if (!peer.socket.destroyed) peer.socket.write('x')
  await within(1_000, 'the connection to fail', peer.closed)
  expect(peer.error !== undefined || isResetBelow(peer.socket)).toBe(true)
}

/** TLS within an HTTP/2 stream does not tell of RST_STREAM. */
function isResetBelow(stream: Duplex): boolean {
  const raw = stream instanceof TLSSocket ? rawSocketOf(stream) : undefined
  return raw !== undefined && 'rstCode' in raw && raw.rstCode !== 0
}
