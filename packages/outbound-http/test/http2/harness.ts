import { once, setMaxListeners } from 'node:events'
import { afterEach, expect } from 'vitest'
import {
  InstanceEvents, isProxyError, tcp,
  type Connection, type Dialer, type DialerFactory, type Policy, type ProxyErrorCode, type StatsManager,
} from '@sluice/core'
import {
  answerConnects, createCertificates, rawHttp2Upstream, testContext, testPolicies, until, within,
  type ConnectAnswers, type Http2Request, type RawHttp2Peer, type RawHttp2Script, type RawHttp2Upstream, type RawHttp2UpstreamOptions,
  type TestContextOptions,
} from '@sluice/testkit'
import { transport, type TlsSettings } from '@sluice/transport'
import { HedgedTunnel } from '../../src/http2/hedged-tunnel.js'
import { POOL_TIMES, type PoolTimes } from '../../src/http2/pool-times.js'
import { SessionPool, type PoolOptions } from '../../src/http2/session-pool.js'
import { HttpOutbound, type HttpOutboundSettings, type ServerSettings } from '../../src/index.js'

export const certificates = await createCertificates()
export const serverTls = await certificates.issue()

export const TARGET = tcp('target.test', 443)

const closings = new Set<() => void | Promise<void>>()

afterEach(async () => {
  for (const close of [...closings].reverse()) await close()
  closings.clear()
})

/** Has something ended after the test, in reverse order. */
export function afterTest(close: () => void | Promise<void>): void {
  closings.add(close)
}

/** An upstream that is closed after the test; a script's error fails it. */
export async function upstreamOf(script: RawHttp2Script, options: RawHttp2UpstreamOptions = {}): Promise<RawHttp2Upstream> {
  const upstream = await rawHttp2Upstream(script, options)
  afterTest(() => upstream.close())
  return upstream
}

/** An upstream that does what `answers` say with each connection, and behaves well else. */
export function proxyOf(
  answers: ConnectAnswers | ((peer: RawHttp2Peer) => ConnectAnswers) = {}, options: RawHttp2UpstreamOptions = {},
): Promise<RawHttp2Upstream> {
  return upstreamOf((peer) => answerConnects(peer, typeof answers === 'function' ? answers(peer) : answers), options)
}

/** Lets a proxy answer requests for the usual target alone. */
export function onlyTarget({ authority }: Http2Request): number | undefined {
  return authority === 'target.test:443' ? 200 : undefined
}

const noStats: StatsManager = { counter: () => undefined, snapshot: () => new Map() }

/** The real dialer. With TLS it trusts the test's authority alone. */
export function dialerOf(tls?: TlsSettings): Dialer {
  const ca = { usage: 'verify', certificate: [certificates.ca.certPem] } as const
  const stream = tls === undefined ? {} : { security: 'tls', tlsSettings: { disableSystemRoot: true, certificates: [ca], ...tls } } as const
  const Factory = transport.dialers as new (...values: unknown[]) => DialerFactory
  return new Factory(new InstanceEvents(), testPolicies(), noStats).create({ tag: '', stream })
}

/** A dialer that counts and remembers what another one dialled. */
export class CountingDialer implements Dialer {
  readonly connections: Connection[] = []
  dials = 0
  readonly #dialer: Dialer

  constructor(dialer: Dialer = dialerOf()) {
    this.#dialer = dialer
  }

  async dial(...[to, options]: Parameters<Dialer['dial']>): Promise<Connection> {
    this.dials++
    const connection = await this.#dialer.dial(to, options)
    this.connections.push(connection)
    return connection
  }
}

export interface OutboundOptions {
  readonly settings?: Partial<HttpOutboundSettings>
  readonly servers?: readonly Partial<ServerSettings>[]
  readonly policy?: Partial<Policy>
}

/** An outbound to these servers: over TCP by prior knowledge, unless `settings` say otherwise. It is closed after the test. */
export function outboundTo(upstreams: readonly Pick<RawHttp2Upstream, 'host' | 'port'>[], options: OutboundOptions = {}): HttpOutbound {
  const servers = upstreams.map(({ host, port }, index) => ({ address: host, port, ...options.servers?.[index] }))
  const settings = { version: '2', ...options.settings, servers } as const
  const outbound = new HttpOutbound(settings, 'test', testPolicies(options.policy), new InstanceEvents())
  afterTest(() => outbound.close())
  return outbound
}

const plainDialer = dialerOf()

/** Opens a tunnel through an outbound. */
export function connect(outbound: HttpOutbound, dialer = plainDialer, context: Partial<TestContextOptions> = {}): Promise<Connection> {
  return outbound.connect(testContext({ target: TARGET, ...context }), dialer)
}

/** A pool to that upstream over TCP, closed after the test. */
export function poolTo(
  upstream: RawHttp2Upstream, times: Partial<PoolTimes> = {}, options: Partial<PoolOptions> = {}, dialer: Dialer = plainDialer,
): SessionPool {
  const pool = new SessionPool((dial) => dialer.dial(upstream.destination, dial), {
    server: `127.0.0.1:${upstream.port}`, maxConnections: 256, priorKnowledge: true, times: { ...POOL_TIMES, ...times }, ...options,
  })
  afterTest(() => pool.close())
  return pool
}

export interface TunnelOptions {
  readonly authority?: string
  readonly signal?: AbortSignal
  readonly hasOtherServers?: boolean
}

const NEVER = new AbortController().signal
setMaxListeners(0, NEVER)

/** Opens a tunnel in a pool, as the outbound does in one attempt. */
export async function openIn(pool: SessionPool, options: TunnelOptions = {}): Promise<Connection> {
  const { authority = 'target.test:443', signal = NEVER, hasOtherServers = false } = options
  const hedge = { signal, hasOtherServers, onPhase: () => {} }
  for (;;) {
    const lease = await pool.lease(hedge)
    if (lease.kind === 'connection') return lease.connection
    const request = { authority, headers: [], server: 'server.test:443' }
    const tunnel = await new HedgedTunnel(pool, lease.session, request, hedge).open()
    if (tunnel !== 'again') return tunnel
  }
}

export function times<T>(count: number, make: (index: number) => T): T[] {
  return Array.from({ length: count }, (_, index) => make(index))
}

/** How long something takes at best, in ms: a busy machine may hold up any single run. */
export async function quickest(run: () => Promise<void>): Promise<number> {
  const tookMs: number[] = []
  for (let count = 0; count < 5; count++) {
    const startedAt = performance.now()
    await run()
    tookMs.push(performance.now() - startedAt)
  }
  return Math.min(...tookMs)
}

/** Waits for a failure of that code. */
export async function failsWith(code: ProxyErrorCode, promise: Promise<unknown>): Promise<Error & { readonly message: string }> {
  const error: unknown = await promise.then(() => { throw new Error('it did not fail') }, (reason: unknown) => reason)
  if (!isProxyError(error)) throw error
  expect(error.code, error.message).toBe(code)
  return error
}

/** How a tunnel ended, as whoever has it sees it. */
export interface Ending {
  readonly error: Error | undefined
  /** It emitted `end`. */
  readonly ended: boolean
  readonly afterMs: number
}

/** Follows a tunnel to its `close`; from now on it flows. */
export function endingOf(tunnel: Connection): Promise<Ending> {
  const since = performance.now()
  let error: Error | undefined
  let ended = false
  tunnel.on('error', (reason: Error) => { error ??= reason })
  tunnel.once('end', () => { ended = true })
  tunnel.resume()
  if (tunnel.destroyed) return Promise.resolve({ error: tunnel.errored ?? undefined, ended, afterMs: 0 })
  return new Promise((resolve) => {
    tunnel.once('close', () => resolve({ error, ended, afterMs: performance.now() - since }))
  })
}

/** Waits until the tunnel is cut, visibly. */
export async function isCut(tunnel: Connection, ms = 1_000): Promise<Ending> {
  const ending = await within(ms, 'the tunnel to be cut', endingOf(tunnel))
  expect(ending).toMatchObject({ error: expect.any(Error) as Error, ended: false })
  return ending
}

/** All bytes until the end in order. */
export async function allOf(tunnel: Connection): Promise<Buffer> {
  const chunks: Buffer[] = []
  tunnel.on('data', (chunk: Buffer) => chunks.push(chunk))
  await once(tunnel, 'end')
  return Buffer.concat(chunks)
}

/** Reads that many bytes, and leaves the tunnel paused. */
export async function read(tunnel: Connection, bytes: number): Promise<Buffer> {
  const chunks: Buffer[] = []
  let count = 0
  await new Promise<void>((resolve, reject) => {
    const done = (finish: () => void) => (): void => {
      tunnel.off('data', onData).off('close', onClose).pause()
      finish()
    }
    const finished = done(resolve)
    const onClose = done(() => reject(new Error(`The tunnel ended after ${count} of ${bytes} bytes`)))
    const onData = (chunk: Buffer): void => {
      chunks.push(chunk)
      count += chunk.length
      if (count >= bytes) finished()
    }
    tunnel.on('data', onData).on('close', onClose).resume()
  })
  return Buffer.concat(chunks)
}

/** Proves that a tunnel still carries bytes both ways. */
export async function echoes(tunnel: Connection, bytes: Buffer): Promise<void> {
  tunnel.write(bytes)
  expect((await read(tunnel, bytes.length)).equals(bytes)).toBe(true)
}

export { until, within }
