import { createInstance, type Config, type Context, type Endpoint, type Instance, type LogEntry, type Module } from '@sluice/core'
import {
  connectProxy, connectTlsTo, connectTo, Peer, scriptedUpstream, until,
  type Certificates, type ConnectProxy, type Script, type ScriptedUpstream,
} from '@sluice/testkit'
import { transport } from '@sluice/transport'
import { afterAll, beforeAll } from 'vitest'
// By path: they are no dependencies of this package, which serves whatever outbound there is.
import { freedomOutbound } from '../../outbound-freedom/src/index.js'
import { httpOutbound } from '../../outbound-http/src/index.js'
import { policyFeature, type LevelSettings } from '../../policy/src/index.js'
import { httpInbound, type HttpInboundSettings } from '../src/index.js'

/** How sessions leave: straight, or by CONNECT through an upstream proxy. */
export const WAYS = ['freedom', 'http'] as const

export type Way = (typeof WAYS)[number]

export interface ProxiedOptions {
  readonly way?: Way
  readonly settings?: HttpInboundSettings
  /** Seconds. */
  readonly policy?: LevelSettings
  /** In place of the way's outbound. */
  readonly outbound?: Module
  /** The inbound speaks TLS. */
  readonly certificates?: Certificates
}

/** A running instance with an HTTP inbound, its clients, and an account of its sessions. */
export class Proxied implements AsyncDisposable {
  readonly instance: Instance
  readonly #upstream: ConnectProxy
  readonly #certificates: Certificates | undefined
  readonly #clients: Peer[] = []
  /** Sessions that have ended. */
  readonly ended: Context[] = []
  readonly log: LogEntry[] = []

  static async start({ way = 'freedom', settings = {}, policy = {}, outbound, certificates }: ProxiedOptions = {}): Promise<Proxied> {
    const upstream = await connectProxy()
    const issued = await certificates?.issue()
    const tls = issued && { certificates: [{ certificate: [issued.certPem], key: [issued.keyPem] }] }
    const config = {
      inbounds: [{ protocol: 'http', tag: 'in', port: 0, settings, ...(tls && { streamSettings: { security: 'tls', tlsSettings: tls } }) }],
      outbounds: [outbound !== undefined && outbound.kind === 'outbound'
        ? { protocol: outbound.protocol }
        : way === 'freedom' ? { protocol: way }
          : { protocol: way, settings: { servers: [{ address: '127.0.0.1', port: upstream.port }] } }],
      policy: { levels: { 0: policy } },
    } as Config
    const modules = [transport, policyFeature, httpInbound, freedomOutbound, httpOutbound, ...(outbound ? [outbound] : [])]
    const proxied = new Proxied(createInstance(config, { modules }), upstream, certificates)
    await proxied.instance.start()
    return proxied
  }

  private constructor(instance: Instance, upstream: ConnectProxy, certificates: Certificates | undefined) {
    this.instance = instance
    this.#upstream = upstream
    this.#certificates = certificates
    instance.events.on('session:close', (session) => this.ended.push(session))
    instance.events.on('log', (entry) => this.log.push(entry))
  }

  get port(): number {
    return this.instance.listening[0]?.address.port ?? 0
  }

  async client(): Promise<Peer> {
    const { port } = this
    const alpn = ['http/1.1']
    const socket = this.#certificates === undefined ? await connectTo(port) : await connectTlsTo(port, this.#certificates, { alpn })
    const client = new Peer(socket, { stepMs: 10_000 })
    this.#clients.push(client)
    return client
  }

  /** What a client that sends this is answered, up to the end of the connection. */
  async answerTo(sent: string | Buffer): Promise<string> {
    const client = await this.client()
    await client.send(sent)
    await client.fin()
    await until(() => client.ended || client.socket.destroyed, 'the end of the answer')
    return client.received.toString('latin1')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const client of this.#clients) client.socket.destroy()
    await this.instance.stop({ drainMs: 0 })
    await this.#upstream.close()
  }
}

/** One instance for all tests of a block that look at no more than what they do themselves: to make one costs time. */
export function sharedProxied(options: ProxiedOptions = {}): Pick<Proxied, 'client' | 'answerTo' | 'instance'> {
  let proxied: Proxied | undefined
  const shared = (): Proxied => {
    if (proxied === undefined) throw new Error('Cannot use the shared instance outside of a test')
    return proxied
  }
  beforeAll(async () => {
    proxied = await Proxied.start(options)
  })
  afterAll(() => proxied?.[Symbol.asyncDispose]())
  return {
    client: () => shared().client(),
    answerTo: (sent) => shared().answerTo(sent),
    get instance() { return shared().instance },
  }
}

/** A target that takes each connection's first request, body and all, and says this. It ends after it unless told otherwise. */
export function respondWith(answer: string | Buffer, { end = true } = {}): Promise<ScriptedUpstream> {
  const script: Script = async (peer) => {
    await takeRequest(peer)
    await peer.send(answer)
    if (end) await peer.fin()
  }
  return scriptedUpstream(script)
}

/** Takes one whole request. */
export async function takeRequest(peer: Peer): Promise<{ head: string, body: Buffer }> {
  const head = await peer.expectHead()
  const [, length] = /^content-length: (\d+)\r$/im.exec(head) ?? []
  if (/^transfer-encoding: chunked\r$/im.test(head)) return { head, body: await peer.expect(/^(?:[^]*\r\n)?0\r\n\r\n/) }
  return { head, body: await peer.expectBytes(Number(length ?? 0)) }
}

/** A plain GET for a target. @param fields Each with its line end. */
export function get({ host, port }: Endpoint, path = '/', fields = ''): string {
  return `GET http://${host}:${port}${path} HTTP/1.1\r\nHost: ${host}:${port}\r\n${fields}\r\n`
}

/** A plain POST for a target, whose fields say how its body is framed. */
export function post({ host, port }: Endpoint, fields: string, body: string): string {
  return `POST http://${host}:${port}/ HTTP/1.1\r\nHost: ${host}:${port}\r\n${fields}\r\n${body}`
}
