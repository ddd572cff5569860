/**
 * An outbound that carries sessions through SOCKS4a servers, as `ssh -D` and Tor are: asked one after the other, each once.
 *
 * @packageDocumentation
 */
import {
  defineOutbound, ERROR_CODES, fault, formatEndpoint, isProxyError, POLICY_MANAGER, ProxyError, tcp,
  type Connection, type Context, type Destination, type Dialer, type Endpoint, type Link, type ObjectSchema, type Policy,
  type PolicyManager, type TunnelOutbound,
} from '@sluice/core'
import { abort, decode, limitSignal, relay, UnexpectedEnd, type Decoder } from '@sluice/transport'

export interface Socks4aOutboundSettings {
  /** At least one. */
  readonly servers: readonly { readonly address: string, readonly port: number }[]
  /** The user id that the servers are told. @default '' */
  readonly user?: string
}

declare module '@sluice/core' {
  interface OutboundSettings {
    socks4a: Socks4aOutboundSettings
  }
}

const schema: ObjectSchema<Socks4aOutboundSettings> = {
  type: 'object',
  additionalProperties: false,
  required: ['servers'],
  properties: {
    servers: {
      type: 'array',
      minItems: 1,
      description: 'Asked in this order, each once',
      items: {
        type: 'object',
        additionalProperties: false,
        required: ['address', 'port'],
        properties: { address: { type: 'string', minLength: 1 }, port: { type: 'integer', minimum: 1, maximum: 65_535 } },
      },
    },
    user: { type: 'string', description: 'The user id that the servers are told', default: '' },
  },
}

/** The `socks4a` protocol for `createInstance`. */
export const socks4aOutbound = defineOutbound({
  protocol: 'socks4a',
  schema,
  check: ({ user = '' }) => user.includes('\0') ? [fault(['user'], 'must not hold a zero byte: it would end there')] : [],
  create: (settings, resolve) => new Socks4aOutbound(settings, resolve(POLICY_MANAGER)),
})

export class Socks4aOutbound implements TunnelOutbound {
  readonly #servers: readonly Endpoint[]
  readonly #user: string
  readonly #policies: PolicyManager

  constructor({ servers, user = '' }: Socks4aOutboundSettings, policies: PolicyManager) {
    this.#servers = servers.map(({ address, port }) => ({ host: address, port }))
    this.#user = user
    this.#policies = policies
  }

  async process(ctx: Context, link: Link, dialer: Dialer): Promise<void> {
    const connection = await this.connect(ctx, dialer)
    link.open()
    await relay(link, connection, { ...this.#policy(ctx), record: ctx.record, signal: ctx.signal })
  }

  async connect(ctx: Context, dialer: Dialer): Promise<Connection> {
    const request = formatRequest(ctx.target, this.#user)
    let failure: unknown
    for (const server of this.#servers) {
      try {
        return await this.#attempt(server, request, ctx, dialer)
      } catch (error) {
        failure = error
        if (ctx.signal.aborted || !isProxyError(error) || ERROR_CODES[error.code].again === 'never') break
      }
    }
    throw failure
  }

  async #attempt({ host, port }: Endpoint, request: Buffer, ctx: Context, dialer: Dialer): Promise<Connection> {
    const server = formatEndpoint({ host, port })
    const { handshakeMs } = this.#policy(ctx)
    ctx.record.server = server
    ctx.record.attempts += 1
    using limit = limitSignal(ctx.signal, handshakeMs, () => new ProxyError('TIMEOUT',
      `Server ${server} opened no tunnel within ${handshakeMs} ms`, { phase: 'connect', server }))
    const connection = await dialer.dial(tcp(host, port), { signal: limit.signal, session: ctx })
    try {
      connection.write(request)
      const [version, reply] = await decode(connection, exactly(REPLY_BYTES), limit.signal)
      if (version !== 0) throw new ProxyError('PROTO', `Server ${server} does not speak SOCKS4a`, { phase: 'connect', server })
      if (reply !== GRANTED) throw new ProxyError('STATUS', `Server ${server} refuses with ${reply}`, { phase: 'connect', server })
      return connection
    } catch (error) {
      const failure = error instanceof UnexpectedEnd
        ? new ProxyError('CLOSED', `Server ${server} closed before it answered`, { phase: 'connect', server, cause: error })
        : error as Error
      abort(connection, failure)
      throw failure
    }
  }

  #policy({ user }: Context): Policy {
    return this.#policies.forLevel(user?.level ?? 0)
  }
}

const REPLY_BYTES = 8
const GRANTED = 90

/** @throws {ProxyError} UNSUPPORTED or TARGET: no server could do better, so none is asked. */
function formatRequest({ network, host, port }: Destination, user: string): Buffer {
  if (network === 'udp') throw new ProxyError('UNSUPPORTED', 'Cannot carry UDP', { side: 'downstream' })
  if (host.includes('\0')) throw new ProxyError('TARGET', 'Cannot send a name with a zero byte', { side: 'downstream' })
  // The address 0.0.0.1 says that a name follows; servers take an IP address in its place.
  return Buffer.concat([Buffer.from([4, 1, port >> 8, port & 0xff, 0, 0, 0, 1]), Buffer.from(`${user}\0${host}\0`)])
}

/** Reads that many bytes. What comes behind them belongs to the tunnel: it is given back as `rest`. */
function exactly(length: number): Decoder<Buffer> {
  let bytes = Buffer.alloc(0)
  return {
    push(chunk) {
      bytes = Buffer.concat([bytes, chunk])
      return bytes.length < length ? undefined : { value: bytes.subarray(0, length), rest: bytes.subarray(length) }
    },
  }
}
