import type { Socket } from 'node:net'
import { parseAuthority, type Destination, type Endpoint } from '@sluice/core'
import { listen, type ServerTls } from './listening.js'
import { reset } from './reset.js'
import { connectTo } from './tcp-pair.js'

/**
 * How the proxy treats a CONNECT:
 *
 * - `tunnel`: connects to the target and answers 200
 * - `glue`: the same, but waits for the target's first bytes and sends them with the 200 in one write
 * - `stall`: never answers
 * - `refuse`: answers `status`
 */
export type ProxyBehaviour = 'tunnel' | 'glue' | 'stall' | 'refuse'

export interface ConnectProxyOptions {
  /** @default tunnel */
  readonly behaviour?: ProxyBehaviour
  /** Of a refusal. @default 403 */
  readonly status?: number
  /** Whoever does not send these as Basic credentials gets 407. */
  readonly auth?: { readonly user: string; readonly pass: string }
  readonly tls?: ServerTls
}

/** An HTTP/1.1 CONNECT proxy on loopback. */
export interface ConnectProxy extends AsyncDisposable {
  readonly host: string
  readonly port: number
  readonly destination: Destination
  /** TCP connections accepted so far. */
  readonly connections: number
  /** The heads of all requests, as latin1. */
  readonly requests: readonly string[]
  close(): Promise<void>
}

const HEAD_END = '\r\n\r\n'
const MAX_HEAD_BYTES = 65_536

/**
 * Starts a proxy for outbounds to be tested through. It passes half-closes and resets on, and serves one tunnel per connection.
 * It is a peer for tests: it dials whatever it is asked to, on IPv4 loopback.
 */
export async function connectProxy(options: ConnectProxyOptions = {}): Promise<ConnectProxy> {
  const requests: string[] = []
  const upstreams = new Set<Socket>()
  const listening = await listen((client) => {
    readHead(client, (head, rest) => {
      requests.push(head)
      const answer = judge(head, options)
      if (answer === undefined) return discard(client)
      if (typeof answer === 'string') return discard(client.end(answer))
      if (rest.length > 0) client.unshift(rest)
      connectTo(answer.port).then((target) => {
        upstreams.add(target)
        target.once('close', () => { upstreams.delete(target) })
        tunnel(client, target, options.behaviour === 'glue')
      }, () => { discard(client.end(refusal(502))) })
    })
  }, options.tls)
  const close = async (): Promise<void> => {
    await listening.close()
    for (const target of upstreams) target.destroy()
  }
  return {
    host: listening.host,
    port: listening.port,
    destination: listening.destination,
    get connections() { return listening.connections },
    requests,
    close,
    [Symbol.asyncDispose]: close,
  }
}

/** What to do: connect there, answer so, or nothing at all. */
function judge(head: string, { behaviour = 'tunnel', status = 403, auth }: ConnectProxyOptions): Endpoint | string | undefined {
  const [line = ''] = head.split('\r\n', 1)
  const [method, authority = '', version] = line.split(' ')
  const target = parseAuthority(authority)
  if (method !== 'CONNECT' || version !== 'HTTP/1.1' || target === undefined) return refusal(400)
  if (auth !== undefined) {
    const wanted = Buffer.from(`${auth.user}:${auth.pass}`).toString('base64')
    const [, sent] = /^proxy-authorization: *basic +(\S+) *\r?$/im.exec(head) ?? []
    if (sent !== wanted) return refusal(407, 'Proxy-Authenticate: Basic realm="test"\r\n')
  }
  if (behaviour === 'stall') return undefined
  return behaviour === 'refuse' ? refusal(status) : target
}

function refusal(status: number, fields = ''): string {
  return `HTTP/1.1 ${status} Refused\r\n${fields}Content-Length: 7\r\nConnection: close${HEAD_END}refused`
}

function tunnel(client: Socket, target: Socket, glue: boolean): void {
  passOnReset(client, target)
  passOnReset(target, client)
  if (client.destroyed) return
  const open = (early: Buffer | string): void => {
    client.write(Buffer.concat([Buffer.from(`HTTP/1.1 200 Connection established${HEAD_END}`), Buffer.from(early)]))
    client.pipe(target)
    target.pipe(client)
  }
  if (!glue) return open('')
  const onEarly = (early: Buffer | string = ''): void => {
    target.off('data', onEarly).off('end', onEarly).pause()
    open(early)
  }
  target.on('data', onEarly).on('end', onEarly)
}

/** Waits for the client to go, whatever it may still send. */
function discard(client: Socket): void {
  client.once('end', () => { client.end() }).resume()
}

/** `pipe` passes ends on; this passes on what is no end. */
function passOnReset(from: Socket, to: Socket): void {
  if (from.destroyed) return reset(to)
  from.once('close', () => {
    if (!from.readableEnded || from.errored !== null) reset(to)
  })
}

function readHead(socket: Socket, done: (head: string, rest: Buffer) => void): void {
  let bytes = Buffer.alloc(0)
  const onData = (chunk: Buffer): void => {
    bytes = Buffer.concat([bytes, chunk])
    const at = bytes.indexOf(HEAD_END)
    if (at < 0 && bytes.length <= MAX_HEAD_BYTES) return
    socket.off('data', onData).off('end', onEnd).pause()
    if (at < 0) return reset(socket)
    done(bytes.toString('latin1', 0, at + HEAD_END.length), bytes.subarray(at + HEAD_END.length))
  }
  const onEnd = (): void => { socket.end() }
  socket.on('data', onData).on('end', onEnd)
}
