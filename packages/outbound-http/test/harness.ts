import { expect } from 'vitest'
import {
  DEFAULT_POLICY, formatEndpoint, InstanceEvents, tcp,
  type Context, type DialerFactory, type Dialer, type Policy, type PolicyManager, type ProxyError, type StatsManager,
} from '@sluice/core'
import {
  createCertificates, leakCounter, scriptedUpstream, testContext, testLink, testPolicies, until, within,
  type LeakCounter, type Peer, type ScriptedUpstream, type ScriptedUpstreamOptions, type TestContextOptions, type TestLink,
} from '@sluice/testkit'
import { transport, type TlsSettings } from '@sluice/transport'
import { HttpOutbound, type HttpOutboundSettings, type ServerSettings } from '../src/index.js'

export const certificates = await createCertificates()
const serverTls = await certificates.issue()

/** Over what a case runs, and how its upstream writes. */
export interface Variant {
  readonly over: string
  readonly dialer: Dialer
  readonly upstream: ScriptedUpstreamOptions
  /** Bytes per write of the upstream. */
  readonly chunk: number | undefined
}

const noStats: StatsManager = { counter: () => undefined, snapshot: () => new Map() }

/** The real dialer. With TLS it trusts the test's authority alone. */
export function dialer(tls?: TlsSettings, events = new InstanceEvents(), policies: PolicyManager = testPolicies()): Dialer {
  const ca = { usage: 'verify', certificate: [certificates.ca.certPem] } as const
  const stream = tls === undefined ? {} : { security: 'tls', tlsSettings: { disableSystemRoot: true, certificates: [ca], ...tls } } as const
  const Factory = transport.dialers as new (...values: unknown[]) => DialerFactory
  return new Factory(events, policies, noStats).create({ tag: '', stream })
}

const overTcp = { over: 'TCP', dialer: dialer(), upstream: {} }
const overTls = { over: 'TLS', dialer: dialer({}), upstream: { tls: serverTls } }

/** Each wire, written to as the script says. */
export const WIRES: readonly Variant[] = [{ ...overTcp, chunk: undefined }, { ...overTls, chunk: undefined }]

/** Each wire, written to as the script says and byte by byte. */
export const VARIANTS: readonly Variant[] = WIRES.flatMap((wire) => [
  { ...wire, over: `${wire.over}, whole` }, { ...wire, over: `${wire.over}, byte by byte`, chunk: 1 },
])

/** What an upstream does with a connection; `say` writes as the variant wants it. */
export type Play = (peer: Peer, say: (text: string | Uint8Array) => Promise<void>) => void | Promise<void>

/** Reads the request, then answers. */
export function answer(...parts: readonly (string | Uint8Array)[]): Play {
  return async (peer, say) => {
    await peer.expectHead()
    for (const part of parts) await say(part)
  }
}

export function startUpstream({ upstream, chunk }: Variant, play: Play, options: ScriptedUpstreamOptions = {}): Promise<ScriptedUpstream> {
  return scriptedUpstream(async (peer) => {
    await play(peer, async (text) => {
      await peer.send(text, chunk === undefined ? {} : { chunk }).catch((error: unknown) => {
        // Whoever has heard enough to refuse cuts us off in the middle.
        if (!peer.resetByPeer) throw error
      })
    })
  }, { ...upstream, ...options })
}

/** The settings of an upstream as one of the outbound's servers. */
export function serverOf({ host, port }: ScriptedUpstream, rest: Partial<ServerSettings> = {}): ServerSettings {
  return { address: host, port, ...rest }
}

export const TARGET = tcp('target.test', 443)

/** The whole request for a target, where nothing is configured. */
export function requestFor(target: string = formatEndpoint(TARGET), ...fields: readonly string[]): string {
  return [`CONNECT ${target} HTTP/1.1`, `Host: ${target}`, ...fields, 'Proxy-Connection: Keep-Alive', '', ''].join('\r\n')
}

/** What the client has sent before anything else happens. It must not go anywhere before the tunnel is open. */
export const PAYLOAD = 'client speaks first'

export interface SessionOptions extends Partial<TestContextOptions> {
  readonly signal?: AbortSignal
  /** @default PAYLOAD */
  readonly payload?: string
}

export interface RefusedOptions {
  /** Closes the upstreams first: in the middle of a handshake their half of a connection outlives ours. */
  readonly closing?: boolean
}

/** One session through an outbound. */
export class Session {
  readonly ctx: Context
  readonly link: TestLink
  /** Settles as `process` does. */
  readonly done: Promise<void>
  readonly #leaks: LeakCounter

  private constructor(ctx: Context, link: TestLink, leaks: LeakCounter, done: Promise<void>) {
    this.ctx = ctx
    this.link = link
    this.#leaks = leaks
    this.done = done
    // Each test looks at it when it comes to that.
    done.catch(() => {})
  }

  static async start(outbound: HttpOutbound, over: Dialer, { payload = PAYLOAD, ...context }: SessionOptions = {}): Promise<Session> {
    const ctx = testContext({ target: TARGET, ...context })
    const link = await testLink()
    await link.client.send(payload)
    await until(() => link.reader.readableLength === payload.length, 'the payload to be there')
    const leaks = leakCounter({ watch: { 'ctx.signal': ctx.signal } })
    return new Session(ctx, link, leaks, outbound.process(ctx, link, over))
  }

  /** Waits for the link to be opened; fails with what `process` failed with. */
  async opened(): Promise<void> {
    await within(3_000, 'the link to be opened', Promise.race([this.link.whenOpened, this.done]))
    expect(this.link.opens).toBe(1)
  }

  /** Waits for the refusal of a session with the usual payload, and checks that nothing was touched, sent, or left behind. */
  async refused(upstreams: readonly ScriptedUpstream[], { closing = false }: RefusedOptions = {}): Promise<ProxyError> {
    const refusal = this.done.then(() => { throw new Error('process resolved') }, (error: unknown) => error)
    const error = await within(5_000, 'process to reject', refusal)
    const peers = upstreams.flatMap((upstream) => upstream.peers)
    await within(100, 'the upstream sockets to be closed', Promise.all(peers.map(({ closed }) => closed)))
    for (const peer of peers) expect(peer.received.toString('latin1')).not.toContain(PAYLOAD)
    expect(this.link).toMatchObject({ opens: 0, abortedWith: undefined })
    expect(this.link.client.receivedBytes).toBe(0)
    expect(this.link.reader.readableFlowing).toBeNull()
    expect(String(this.link.reader.read())).toBe(PAYLOAD)
    if (closing) await Promise.all(upstreams.map((upstream) => upstream.close()))
    await this.#leaks.expectNoLeaks(100)
    for (const upstream of upstreams) upstream.assertNoScriptErrors()
    return error as ProxyError
  }

  /** Ends both sides in order, the client first, and checks that nothing is left. */
  async end(upstream: Peer): Promise<void> {
    await this.link.client.fin()
    await upstream.expectEnd()
    await upstream.fin()
    await this.link.client.expectEnd()
    await this.ended('closed')
  }

  /** Waits for `process` to resolve, and checks that nothing is left. */
  async ended(outcome: 'closed' | 'idle'): Promise<void> {
    await within(3_000, 'process to resolve', this.done)
    expect(this.ctx.record.outcome).toBe(outcome)
    await this.#leaks.expectNoLeaks()
  }

  close(): void {
    this.link.close()
  }
}

export interface CaseOptions {
  readonly settings?: Partial<HttpOutboundSettings>
  readonly server?: Partial<ServerSettings>
  readonly policy?: Partial<Policy>
  readonly session?: SessionOptions
  readonly upstream?: ScriptedUpstreamOptions
}

/** One session through an outbound of its own to one scripted upstream. */
export class Case implements AsyncDisposable {
  readonly upstream: ScriptedUpstream
  readonly session: Session

  private constructor(upstream: ScriptedUpstream, session: Session) {
    this.upstream = upstream
    this.session = session
  }

  static async start(variant: Variant, play: Play, options: CaseOptions = {}): Promise<Case> {
    const upstream = await startUpstream(variant, play, options.upstream)
    const outbound = createOutbound({ servers: [serverOf(upstream, options.server)], ...options.settings }, options.policy)
    return new Case(upstream, await Session.start(outbound, variant.dialer, options.session))
  }

  /** The first connection, once its script has begun. */
  get peer(): Promise<Peer> {
    return this.upstream.peer(0)
  }

  /** Checks that the tunnel opens, after exactly the request, and carries these bytes down and the payload up. */
  async carries(first: string, request = requestFor()): Promise<void> {
    await this.session.opened()
    const peer = await this.peer
    await this.session.link.client.expect(first)
    await peer.expect(PAYLOAD)
    expect(peer.received.toString('latin1')).toBe(request + PAYLOAD)
    expect(this.session.ctx.record).toMatchObject({ server: formatEndpoint(this.upstream), attempts: 1 })
    await this.session.end(peer)
    expect(this.session.ctx.record).toMatchObject({ uplinkBytes: PAYLOAD.length, downlinkBytes: Buffer.byteLength(first) })
    expect(this.upstream.requests).toHaveLength(1)
  }

  /** Checks that it fails so, after exactly one request that is not made again. */
  async fails(wanted: Partial<ProxyError>, request = requestFor()): Promise<ProxyError> {
    const error = await this.session.refused([this.upstream])
    const server = formatEndpoint(this.upstream)
    expect(error).toMatchObject({ name: 'ProxyError', side: 'upstream', phase: 'connect', server, ...wanted })
    expect(this.upstream.peers.map(({ received }) => received.toString('latin1'))).toEqual([request])
    expect(this.session.ctx.record).toMatchObject({ server, attempts: 1 })
    return error
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.session.close()
    await this.upstream.close()
  }
}

/** An outbound as its module makes it. */
export function createOutbound(settings: HttpOutboundSettings, policy: Partial<Policy> = {}, events = new InstanceEvents()): HttpOutbound {
  return new HttpOutbound(settings, 'out', policiesOf(policy), events)
}

function policiesOf(policy: Partial<Policy>): PolicyManager {
  return testPolicies({ ...DEFAULT_POLICY, handshakeMs: 3_000, connIdleMs: 3_000, ...policy })
}
