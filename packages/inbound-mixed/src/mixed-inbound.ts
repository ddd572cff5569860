import {
  ConfigError, EVENTS, fault, inject, injectable, INBOUND_PARTS, POLICY_MANAGER, ProxyError, SETTINGS, TAG,
  type Connection, type Dispatch, type Inbound, type InboundPart, type InboundParts, type InstanceEvents, type PolicyManager,
} from '@sluice/core'
import { abort, deadline, decode, type Decoder } from '@sluice/transport'
import type { MixedInboundSettings } from './settings.js'

/** Serves several inbound protocols on one port: the first byte of a connection says which of them it speaks. */
@injectable()
export class MixedInbound implements Inbound {
  readonly #parts: readonly InboundPart[]
  readonly #level: number
  readonly #policies: PolicyManager
  readonly #events: InstanceEvents
  readonly #tag: string

  /** @throws {ConfigError} for a protocol that is unknown or cannot be told, or whose settings do not fit. */
  constructor(
    @inject(SETTINGS) settings: MixedInboundSettings,
    @inject(TAG) tag: string,
    @inject(INBOUND_PARTS) parts: InboundParts,
    @inject(POLICY_MANAGER) policies: PolicyManager,
    @inject(EVENTS) events: InstanceEvents,
  ) {
    this.#parts = partsOf(settings, parts, tag)
    this.#level = settings.userLevel ?? 0
    this.#policies = policies
    this.#events = events
    this.#tag = tag
  }

  async handle(connection: Connection, dispatch: Dispatch): Promise<void> {
    const firstByte = await this.#firstByte(connection)
    if (firstByte === undefined) return
    const part = this.#parts.find(({ claims }) => claims(firstByte))
    if (part !== undefined) return await part.inbound.handle(connection, dispatch)
    const name = `0x${firstByte.toString(16).padStart(2, '0')}`
    this.#events.log('info', `Inbound "${this.#tag}" turned a connection away: it starts with ${name}, which no protocol here does`)
    abort(connection, new ProxyError('UNSUPPORTED', 'Unknown protocol', { side: 'downstream', phase: 'handshake' }))
  }

  drain(): void {
    for (const { inbound } of this.#parts) inbound.drain?.()
  }

  /** Looks at the first byte and leaves it; `undefined`: the client left, or said nothing for as long as the policy lets it. */
  async #firstByte(connection: Connection): Promise<number | undefined> {
    const { handshakeMs } = this.#policies.forLevel(this.#level)
    const limit = new AbortController()
    const cancel = deadline(handshakeMs, () => limit.abort(new ProxyError('TIMEOUT', 'The client said nothing', { side: 'downstream' })))
    try {
      return await decode(connection, peek, limit.signal)
    } catch {
      connection.destroy()
      return undefined
    } finally {
      cancel()
    }
  }
}

const peek: Decoder<number> = {
  push: (chunk) => (chunk[0] === undefined ? undefined : { value: chunk[0], rest: chunk }),
}

function partsOf({ protocols, ...shared }: MixedInboundSettings, parts: InboundParts, tag: string): InboundPart[] {
  // SOCKS is told in words to ask for the accounts that HTTP asks for by their being there.
  const settings = { ...shared, ...((shared.accounts?.length ?? 0) > 0 ? { auth: 'password' } : {}) }
  return (protocols ?? parts.protocols).map((protocol, index) => {
    if (parts.protocols.includes(protocol)) return authenticating(parts.create(protocol, settings, tag), settings, index)
    const hint = `known are ${parts.protocols.map((name) => `"${name}"`).join(', ')}`
    throw new ConfigError([fault(['protocols', index], `"${protocol}" cannot share a port`, { hint })])
  })
}

/** Accounts that one of the protocols does not ask for would let everybody in by that one. */
function authenticating(part: InboundPart, { accounts = [] }: MixedInboundSettings, index: number): InboundPart {
  if (accounts.length === 0 || part.authenticates) return part
  throw new ConfigError([fault(['protocols', index], `"${part.protocol}" does not ask for the accounts`, { hint: 'name the others only' })])
}
