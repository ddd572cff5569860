import type { Writable } from 'node:stream'
import {
  answerTo, defineInbound, defineOutbound,
  type Connection, type Dispatch, type Inbound, type InboundDefinition, type Link, type Outbound, type OutboundDefinition, type User,
} from '../src/index.js'

export interface LineInboundSettings {
  readonly user?: string
  readonly level?: number
  readonly pass?: string
}

export interface ScriptSettings {
  readonly note?: string
}

declare module '../src/definition/settings.js' {
  interface InboundSettings { line: LineInboundSettings }
  interface OutboundSettings { script: ScriptSettings }
}

/** A link over one connection, which notes what was done to it. */
export class ConnectionLink implements Link {
  readonly reader: Connection
  readonly writer: Writable
  opened = false
  opens = 0
  aborted: Error | undefined

  constructor(connection: Connection) {
    this.reader = connection
    this.writer = connection
  }

  open(): void {
    this.opens++
    this.opened = true
    this.writer.write('OPEN\n')
  }

  abort(error: Error): void {
    this.aborted ??= error
    this.reader.destroy()
  }
}

/** Serves connections that say nothing: each is at once a session to example.com. A refusal is one line with both codes. */
class LineInbound implements Inbound {
  readonly #user: User | undefined

  constructor({ user, level = 0 }: LineInboundSettings) {
    this.#user = user === undefined ? undefined : { name: user, level }
  }

  async handle(connection: Connection, dispatch: Dispatch): Promise<void> {
    const target = { network: 'tcp', host: 'example.com', port: 443 } as const
    connection.read(0)
    try {
      await dispatch({ target, ...(this.#user === undefined ? {} : { user: this.#user }) }, new ConnectionLink(connection))
    } catch (error) {
      const { socks, http } = answerTo(error)
      connection.end(`REFUSED ${socks} ${http}\n`)
    }
  }
}

export const lineInbound: InboundDefinition = defineInbound({
  protocol: 'line',
  schema: {
    type: 'object',
    additionalProperties: false,
    properties: {
      user: { type: 'string', minLength: 1 },
      level: { type: 'integer', minimum: 0 },
      pass: { type: 'string', pattern: '^[a-z]+$', writeOnly: true },
    },
  },
  authenticates: ({ pass }) => pass !== undefined,
  create: (settings) => new LineInbound(settings),
})

/** An outbound that does as it is told, by functions in place of a protocol. */
export function scriptOutbound(outbound: Outbound | ((settings: ScriptSettings) => Outbound)): OutboundDefinition {
  return defineOutbound({
    protocol: 'script',
    schema: { type: 'object', additionalProperties: false, properties: { note: { type: 'string' } } },
    create: (settings) => (typeof outbound === 'function' ? outbound(settings) : outbound),
  })
}

/** Opens the link and carries nothing until the session is cancelled, with which it ends as `relay` would. */
export const patientOutbound: Outbound = {
  async process({ signal }, link) {
    link.open()
    await aborted(signal)
    link.abort(signal.reason as Error)
    throw signal.reason
  },
}

/** Resolves when the signal has aborted. */
export function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve()
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
}
