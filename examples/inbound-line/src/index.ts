/**
 * An inbound whose clients ask in one line of text, and are answered in one: `target.example:443` gets `200 OK` or `504 TIMEOUT`.
 *
 * @packageDocumentation
 */
import {
  accountFaults, accountsSchema, answerTo, ClientLogins, defineInbound, EVENTS, fault, parseAuthority, POLICY_MANAGER,
  printable, ProxyError, TAG, tcp, toProxyError,
  type ClientAccount, type Connection, type Dispatch, type Inbound, type InstanceEvents, type ObjectSchema, type PolicyManager,
  type SessionRequest,
} from '@sluice/core'
import { deadline, decode, hangUp, SocketLink, UnexpectedEnd, type Decoder } from '@sluice/transport'

export interface LineInboundSettings {
  /** With accounts a line is `target:port user pass`, and who sends another is refused. @default [] */
  readonly accounts?: readonly ClientAccount[]
  /** The policy level of its sessions, and of the time that a client has for its line. @default 0 */
  readonly userLevel?: number
}

declare module '@sluice/core' {
  interface InboundSettings {
    line: LineInboundSettings
  }
}

const schema: ObjectSchema<LineInboundSettings> = {
  type: 'object',
  additionalProperties: false,
  properties: {
    accounts: accountsSchema,
    userLevel: { type: 'integer', minimum: 0, description: 'Policy level of its sessions', default: 0 },
  },
}

/** The `line` protocol for `createInstance`. */
export const lineInbound = defineInbound({
  protocol: 'line',
  schema,
  check: ({ accounts = [] }) => [
    ...accountFaults(accounts),
    ...accounts.flatMap(({ user, pass }, index) => /\s/.test(user + pass) || pass === ''
      ? [fault(['accounts', index], 'cannot stand in a line: user and pass must not be empty nor hold white space')] : []),
  ],
  authenticates: ({ accounts = [] }) => accounts.length > 0,
  create: (settings, resolve) => new LineInbound(settings, resolve(POLICY_MANAGER), resolve(EVENTS), resolve(TAG)),
})

export class LineInbound implements Inbound {
  readonly #logins: ClientLogins | undefined
  readonly #level: number
  readonly #policies: PolicyManager
  readonly #events: InstanceEvents

  constructor({ accounts = [], userLevel = 0 }: LineInboundSettings, policies: PolicyManager, events: InstanceEvents, tag: string) {
    this.#logins = accounts.length > 0 ? new ClientLogins(accounts, tag, events) : undefined
    this.#level = userLevel
    this.#policies = policies
    this.#events = events
  }

  async handle(connection: Connection, dispatch: Dispatch): Promise<void> {
    let request: SessionRequest
    try {
      request = this.#parse(await this.#readLine(connection), connection.remoteAddress)
    } catch (error) {
      this.#events.log('info', 'A client was turned away', { error })
      if (error instanceof UnexpectedEnd) return void connection.destroy()
      return await hangUp(connection, answer(error))
    }
    const link = new SocketLink(connection, () => void connection.write('200 OK\n'))
    try {
      await dispatch(request, link)
    } catch (error) {
      await hangUp(connection, answer(error))
    }
  }

  async #readLine(connection: Connection): Promise<string> {
    const { handshakeMs } = this.#policies.forLevel(this.#level)
    const limit = new AbortController()
    const cancel = deadline(handshakeMs, () => limit.abort(refusal('TIMEOUT', `The client sent no line within ${handshakeMs} ms`)))
    try {
      return await decode(connection, line(), limit.signal)
    } finally {
      cancel()
    }
  }

  #parse(text: string, source: string | undefined): SessionRequest {
    const [authority = '', user = '', pass = ''] = text.split(' ')
    const target = parseAuthority(authority)
    if (target === undefined) throw refusal('TARGET', `Cannot read a target from "${printable(authority)}"`)
    const login = this.#logins?.attempt(source, user, pass) ?? 'accepted'
    if (login !== 'accepted') throw refusal('BLOCKED', `Account "${printable(user)}" is not let in: ${login}`)
    const session = { target: tcp(target.host, target.port) }
    if (this.#logins !== undefined) return { ...session, user: { name: user, level: this.#level } }
    // Nobody was asked for a name, yet a level of their own must reach the outbound, which takes its time limits from there.
    return this.#level === 0 ? session : { ...session, user: { name: '', level: this.#level } }
  }
}

const MAX_LINE_BYTES = 1_024

function refusal(code: 'TIMEOUT' | 'TARGET' | 'BLOCKED' | 'LIMIT', text: string): ProxyError {
  return new ProxyError(code, text, { side: 'downstream', phase: 'handshake' })
}

function answer(error: unknown): string {
  return `${answerTo(error).http} ${toProxyError(error).code}\n`
}

/** Reads up to the first line feed. What comes behind it belongs to the session: it is given back as `rest`. */
function line(): Decoder<string> {
  let bytes = Buffer.alloc(0)
  return {
    push(chunk) {
      bytes = Buffer.concat([bytes, chunk])
      const end = bytes.indexOf('\n')
      if (end > MAX_LINE_BYTES || (end < 0 && bytes.length > MAX_LINE_BYTES)) throw refusal('LIMIT', 'The client sent too long a line')
      return end < 0 ? undefined : { value: bytes.toString('utf8', 0, end).trimEnd(), rest: bytes.subarray(end + 1) }
    },
  }
}
