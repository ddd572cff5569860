import {
  isProxyError, OUTBOUND_MANAGER, printable, ROUTER, type Connection, type Context, type Endpoint, type OutboundConfig,
} from '@sluice/core'
import { sessionTo } from '../library/tunnels.js'
import { clientConfig, startClient, type ClientOptions } from './client-config.js'
import { DoctorReport } from './doctor-report.js'
import { challengesOf, describeTls, firstLine, openTcp, openTls, resolveHost } from './doctor-steps.js'
import { ExitWith } from './exit-with.js'
import { ExitCode } from './exit-code.js'
import { UsageError } from './proxy-url.js'

export interface DoctorOptions extends ClientOptions {
  /** Write the result as JSON to standard output. @default false */
  readonly json?: boolean
}

/** An upstream proxy, as far as its parts are tried one by one. */
interface Hop extends Endpoint {
  readonly isSecure: boolean
}

/**
 * Goes the way to a URL step by step, and tells how long each takes and what to do about the one that fails.
 * @throws {ExitWith} 1 if one fails. @throws {UsageError}
 */
export async function runDoctor(text: string, { json = false, ...options }: DoctorOptions): Promise<void> {
  const url = parseTarget(text)
  const config = await clientConfig(options)
  const instance = await startClient(config)
  const target = targetOf(url)
  const report = new DoctorReport(json, target.port)
  try {
    const session = sessionTo(target, new AbortController().signal)
    const route = await instance.get(ROUTER).route(session)
    const outbounds = instance.get(OUTBOUND_MANAGER)
    const handler = route === undefined ? outbounds.default : outbounds.get(route.outboundTag)
    const hop = nearestHop(config.outbounds ?? [], handler?.tag)
    if (hop === undefined) await report.step('dns', 'the target', () => resolveHost(target.host))
    else await tryHop(hop, report)
    const connect = async (context: Context): Promise<Connection> => {
      if (handler?.connect === undefined) throw new UsageError(`Cannot try outbound "${handler?.tag ?? ''}": it opens no tunnels`)
      return handler.connect(context)
    }
    const tunnel = await report.step(hop === undefined ? 'tcp' : 'connect', 'the target', async (signal) => {
      const context = sessionTo(target, signal)
      const connection = await connect(context)
      return [connection, context.record.server === undefined ? 'straight' : `a tunnel through ${context.record.server}`]
    }, hop === undefined ? undefined : (error) => schemesOf(error, hop, target))
    if (tunnel !== undefined) await tryTarget(tunnel, url, target, report)
  } finally {
    await instance.stop({ drainMs: 0 })
  }
  report.end(url.href)
  if (report.hasFailed) throw new ExitWith(ExitCode.failure)
}

/** The steps to the nearest proxy, each of which later ones need. */
async function tryHop(hop: Hop, report: DoctorReport): Promise<void> {
  await report.step('dns', 'the proxy', () => resolveHost(hop.host))
  const socket = await report.step('tcp', 'the proxy', async (signal) => {
    const connected = await openTcp(hop, signal)
    return [connected, `${connected.remoteAddress ?? ''} port ${hop.port}`]
  })
  if (socket !== undefined && hop.isSecure) {
    await report.step('tls', 'the proxy', async (signal) => {
      const secured = await openTls(socket, hop.host, ['h2', 'http/1.1'], signal)
      const told = describeTls(secured)
      secured.destroy()
      return told
    })
  }
  socket?.destroy()
}

async function tryTarget(tunnel: Connection, url: URL, target: Endpoint, report: DoctorReport): Promise<void> {
  let connection: Connection | undefined = tunnel
  if (url.protocol === 'https:') {
    connection = await report.step('tls', 'the target', async (signal) => {
      const secured = await openTls(tunnel, target.host, ['http/1.1'], signal)
      return [secured, describeTls(secured)]
    })
  }
  const answering = connection
  if (answering !== undefined) {
    await report.step('http', 'the target', (signal) => firstLine(answering, url, signal))
  }
  connection?.destroy()
  tunnel.destroy()
}

/** What a proxy that refuses credentials offers instead, asked over HTTP/1.1 on a connection of its own. */
async function schemesOf(error: unknown, hop: Hop, target: Endpoint): Promise<string[]> {
  if (!isProxyError(error) || error.code !== 'AUTH') return []
  const signal = AbortSignal.timeout(2_000)
  try {
    const socket = await openTcp(hop, signal)
    const connection = hop.isSecure ? await openTls(socket, hop.host, ['http/1.1'], signal) : socket
    const schemes = await challengesOf(connection, target, signal)
    connection.destroy()
    return schemes
  } catch {
    // The refusal itself is told in any case.
    return []
  }
}

function nearestHop(outbounds: readonly OutboundConfig[], tag: string | undefined): Hop | undefined {
  const outbound = outbounds.find((one) => (one.tag ?? '') === tag)
  if (outbound?.protocol !== 'http') return undefined
  const through = outbound.proxySettings?.tag
  if (through !== undefined) return nearestHop(outbounds, through)
  const [server] = outbound.settings?.servers ?? []
  if (server === undefined) return undefined
  return { host: server.address, port: Number(server.port), isSecure: outbound.streamSettings?.security === 'tls' }
}

function parseTarget(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url !== undefined && /^https?:$/.test(url.protocol)) return url
  throw new UsageError(`Cannot read "${printable(text)}": write a URL, as https://example.com/`)
}

function targetOf({ protocol, hostname, port }: URL): Endpoint {
  const usual = protocol === 'https:' ? 443 : 80
  return { host: hostname.replace(/^\[(.*)\]$/, '$1'), port: port === '' ? usual : Number(port) }
}
