import { once } from 'node:events'
import { constants, createSecureServer, type Http2SecureServer, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2'
import type { AddressInfo, Socket } from 'node:net'
import { parseAuthority, tcp } from '@sluice/core'
import type { ConnectProxy, ConnectProxyOptions } from './connect-proxy.js'
import { reset } from './reset.js'
import { connectTo } from './tcp-pair.js'

export interface Http2ConnectProxyOptions extends Omit<ConnectProxyOptions, 'tls'> {
  readonly tls: { readonly certPem: string; readonly keyPem: string }
  /** MAX_CONCURRENT_STREAMS of a connection. @default 100 */
  readonly maxConcurrentStreams?: number
}

const WINDOW_BYTES = 4 * 1_048_576
const MAX_SESSION_MEMORY_MB = 1_000

/**
 * Starts a proxy that speaks HTTP/2 over TLS and serves many tunnels per connection (RFC 9113 §8.5), otherwise as `connectProxy`.
 * `requests` holds `CONNECT authority` for each stream.
 *
 * It is made of Node's own HTTP/2 server, which sends END_STREAM before RST_STREAM: a reset by the target looks like an end to the
 * client. `rawHttp2Upstream` is for all that this never does.
 */
export async function http2ConnectProxy(options: Http2ConnectProxyOptions): Promise<ConnectProxy> {
  const requests: string[] = []
  const open = new Set<Socket | ServerHttp2Session>()
  const keep = <T extends Socket | ServerHttp2Session>(item: T): T => {
    open.add(item)
    // What a peer cuts is an event of the test.
    item.on('error', () => {}).once('close', () => { open.delete(item) })
    return item
  }
  const server = createServer(options)
  let connections = 0
  server.on('connection', () => { connections += 1 })
  server.on('session', (session) => keep(session).setLocalWindowSize(16 * WINDOW_BYTES))
  server.on('stream', (stream, fields) => {
    stream.on('error', () => {})
    const authority = fields[':authority'] ?? ''
    requests.push(`${fields[':method']} ${authority}`)
    const answer = judge(authority, String(fields['proxy-authorization'] ?? ''), options)
    if (answer === 'stall') return void stream.resume()
    if (typeof answer === 'number') return refuse(stream, answer)
    connectTo(answer.port).then((target) => { tunnel(stream, keep(target), options.behaviour === 'glue') }, () => { refuse(stream, 502) })
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const { port } = server.address() as AddressInfo
  let closed: Promise<void> | undefined
  const close = (): Promise<void> => {
    closed ??= new Promise((resolve) => { server.close(() => { resolve() }) })
    for (const item of open) item.destroy()
    return closed
  }
  const host = '127.0.0.1'
  return {
    host, port, requests, close, destination: tcp(host, port), get connections() { return connections }, [Symbol.asyncDispose]: close,
  }
}

function createServer({ tls, maxConcurrentStreams = 100 }: Http2ConnectProxyOptions): Http2SecureServer {
  return createSecureServer({
    cert: tls.certPem, key: tls.keyPem, maxSessionMemory: MAX_SESSION_MEMORY_MB,
    settings: { maxConcurrentStreams, initialWindowSize: WINDOW_BYTES },
  })
}

/** Where to connect, which status to answer, or nothing. */
function judge(authority: string, credentials: string, options: Http2ConnectProxyOptions): { port: number } | number | 'stall' {
  const { behaviour = 'tunnel', status = 403, auth } = options
  const wanted = auth === undefined ? credentials : `Basic ${Buffer.from(`${auth.user}:${auth.pass}`).toString('base64')}`
  if (credentials !== wanted) return 407
  if (behaviour === 'stall') return 'stall'
  return behaviour === 'refuse' ? status : parseAuthority(authority) ?? 400
}

function refuse(stream: ServerHttp2Stream, status: number): void {
  if (stream.destroyed) return
  stream.respond({ ':status': status, ...(status === 407 ? { 'proxy-authenticate': 'Basic realm="test"' } : {}) })
  stream.resume().end('refused')
}

function tunnel(stream: ServerHttp2Stream, target: Socket, glue: boolean): void {
  if (stream.destroyed) return reset(target)
  stream.once('aborted', () => { reset(target) })
  target.once('close', () => {
    if (!target.readableEnded || target.errored !== null) stream.close(constants.NGHTTP2_CONNECT_ERROR)
  })
  const start = (): void => {
    stream.respond({ ':status': 200 })
    stream.pipe(target).pipe(stream)
  }
  if (glue) target.once('readable', start)
  else start()
}
