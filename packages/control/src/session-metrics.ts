import { isProxyError, type Context, type InstanceEvents } from '@sluice/core'
import { Counter, exponentialBuckets, Gauge, Histogram, type Registry } from 'prom-client'
import { LabelValues } from './label-values.js'
import type { ServerState } from './server-states.js'
import { SessionSums, type Sums } from './session-sums.js'

const CONNECT_SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30]
const DURATION_SECONDS = [0.1, 0.5, 1, 5, 15, 60, 300, 900, 3_600, 14_400, 86_400]
const BYTES = exponentialBuckets(1_000, 10, 7)

/** Where the figures come from that are read only when somebody asks. */
export interface MetricSources {
  /** The sessions that are alive. */
  readonly sessions: () => Iterable<Context>
  /** The upstream proxies that are known; what comes later holds. */
  readonly servers: () => Iterable<ServerState>
}

/**
 * What sessions do, as Prometheus reads it. Everything is taken from events and from records, so that payload costs nothing; no label
 * holds a target, a user or a secret.
 */
export class SessionMetrics {
  readonly #inbounds = new LabelValues()
  readonly #outbounds = new LabelValues()
  readonly #servers = new LabelValues(1_000)
  readonly #sums = new SessionSums()
  /** When a session was routed, on a clock that never goes back. */
  readonly #routedAt = new WeakMap<Context, number>()
  readonly #sources: MetricSources
  readonly #sessions: Counter<'inbound' | 'outbound' | 'outcome'>
  readonly #failures: Counter<'outbound' | 'code'>
  readonly #serverDowns: Counter<'outbound' | 'server' | 'code'>
  readonly #connectSeconds: Histogram<'outbound'>
  readonly #durationSeconds: Histogram<'outbound'>
  readonly #sessionBytes: Histogram<'outbound' | 'direction'>

  constructor(registry: Registry, sources: MetricSources) {
    const registers = [registry]
    this.#sources = sources
    this.#sessions = new Counter({
      name: 'sluice_sessions_total', help: 'Sessions that ended', labelNames: ['inbound', 'outbound', 'outcome'], registers,
    })
    this.#failures = new Counter({
      name: 'sluice_session_failures_total',
      help: 'Sessions that failed to open or were cut, by error code', labelNames: ['outbound', 'code'], registers,
    })
    this.#addReadOnDemand(registers)
    this.#serverDowns = new Counter({
      name: 'sluice_server_downs_total',
      help: 'How often an upstream proxy began to rest, by error code', labelNames: ['outbound', 'server', 'code'], registers,
    })
    this.#connectSeconds = new Histogram({
      name: 'sluice_session_connect_seconds',
      help: 'From the routing of a session to its open tunnel: all dials, TLS and CONNECT',
      labelNames: ['outbound'], buckets: CONNECT_SECONDS, registers,
    })
    this.#durationSeconds = new Histogram({
      name: 'sluice_session_duration_seconds',
      help: 'From the start to the end of a session whose tunnel opened', labelNames: ['outbound'], buckets: DURATION_SECONDS, registers,
    })
    this.#sessionBytes = new Histogram({
      name: 'sluice_session_bytes',
      help: 'Payload of a session whose tunnel opened', labelNames: ['outbound', 'direction'], buckets: BYTES, registers,
    })
  }

  /** @returns Ends it. */
  follow(events: InstanceEvents): () => void {
    const stops = [
      events.on('session:open', (session) => void this.#routedAt.set(session, performance.now())),
      events.on('session:established', (session) => this.#established(session)),
      events.on('session:close', (session) => this.#closed(session)),
      events.on('server:down', ({ outboundTag, server, error: { code } }) =>
        this.#serverDowns.inc({ outbound: this.#outbounds.of(outboundTag), server: this.#servers.of(server), code })),
    ]
    return () => {
      for (const stop of stops) stop()
    }
  }

  #established(session: Context): void {
    const routedAt = this.#routedAt.get(session)
    // A session that was routed before anybody listened has no beginning here.
    if (routedAt === undefined) return
    this.#connectSeconds.observe({ outbound: this.#outboundOf(session) }, (performance.now() - routedAt) / 1_000)
  }

  #closed(session: Context): void {
    const { inboundTag, record } = session
    const { outcome = 'closed', error, establishedMs, durationMs = 0, uplinkBytes, downlinkBytes } = record
    const outbound = this.#outboundOf(session)
    this.#sessions.inc({ inbound: this.#inbounds.of(inboundTag), outbound, outcome })
    this.#sums.settle(outbound, record)
    if (outcome === 'failed' || outcome === 'aborted') {
      this.#failures.inc({ outbound, code: isProxyError(error) ? error.code : 'INTERNAL' })
    }
    if (establishedMs === undefined) return
    this.#durationSeconds.observe({ outbound }, durationMs / 1_000)
    this.#sessionBytes.observe({ outbound, direction: 'uplink' }, uplinkBytes)
    this.#sessionBytes.observe({ outbound, direction: 'downlink' }, downlinkBytes)
  }

  #addReadOnDemand(registers: Registry[]): void {
    const { sessions, servers } = this.#sources
    const [inbounds, names] = [this.#inbounds, this.#servers]
    const outboundOf = (session: Context): string => this.#outboundOf(session)
    const sums = (): ReadonlyMap<string, Sums> =>
      this.#sums.with([...sessions()].map((session) => [outboundOf(session), session.record] as const))
    new Counter({
      name: 'sluice_bytes_total', help: 'Payload, of live sessions too', labelNames: ['outbound', 'direction'], registers,
      collect() {
        this.reset()
        for (const [outbound, { uplinkBytes, downlinkBytes }] of sums()) {
          this.inc({ outbound, direction: 'uplink' }, uplinkBytes)
          this.inc({ outbound, direction: 'downlink' }, downlinkBytes)
        }
      },
    })
    new Counter({
      name: 'sluice_attempts_total', help: 'Tunnels that were tried at an upstream proxy or target', labelNames: ['outbound'], registers,
      collect() {
        this.reset()
        for (const [outbound, { attempts }] of sums()) this.inc({ outbound }, attempts)
      },
    })
    new Counter({
      name: 'sluice_retries_total', help: 'Of these, those after the first of a session', labelNames: ['outbound'], registers,
      collect() {
        this.reset()
        for (const [outbound, { retries }] of sums()) this.inc({ outbound }, retries)
      },
    })
    new Gauge({
      name: 'sluice_sessions_open', help: 'Sessions that are alive', labelNames: ['inbound', 'outbound'], registers,
      collect() {
        this.reset()
        for (const session of sessions()) this.inc({ inbound: inbounds.of(session.inboundTag), outbound: outboundOf(session) })
      },
    })
    new Gauge({
      name: 'sluice_server_up',
      help: '0 while an upstream proxy rests after failures, else 1', labelNames: ['outbound', 'server'], registers,
      collect() {
        this.reset()
        for (const { outbound, server, up } of servers()) this.set({ outbound, server: names.of(server) }, up ? 1 : 0)
      },
    })
  }

  #outboundOf({ record }: Context): string {
    return this.#outbounds.of(record.outboundTag)
  }
}
