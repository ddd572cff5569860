import { PassThrough, type Readable } from 'node:stream'
import {
  answerTo, parseAuthority, type Connection, type Dispatch, type Inbound, type Link, type PolicyManager, type SessionRequest,
} from '@sluice/core'
import { reset } from '../reset.js'

/** The mistakes that {@link brokenInbound} can make, each of which `inboundCompliance` notices. */
export const INBOUND_FAULTS = [
  'dispatches anything', 'dispatches twice', 'names nobody', 'loses pipelined bytes', 'forgets its limit', 'limits the session',
  'rejects on a reset', 'answers early', 'answers twice', 'answers all alike', 'tells a password', 'keeps the connection',
  'ends with its client', 'aborts cleanly', 'wraps the reader', 'drains too much', 'mixes clients up', 'leaves a timer', 'leaks with time',
] as const

/** One of {@link INBOUND_FAULTS}. */
export type InboundFault = typeof INBOUND_FAULTS[number]

export interface BrokenInboundOptions {
  readonly policies: PolicyManager
  /** What it does wrong. @default nothing */
  readonly fault?: InboundFault | undefined
}

/**
 * An HTTP CONNECT inbound that makes one mistake, as {@link brokenOutbound} does. It lets everybody in, as user "alice".
 *
 * @example
 * ```ts
 * import { brokenInbound, testPolicies } from '@sluice/testkit'
 *
 * const inbound = brokenInbound({ policies: testPolicies(), fault: 'answers early' })
 * ```
 */
export function brokenInbound(options: BrokenInboundOptions): Inbound {
  return new BrokenInbound(options)
}

const OK = 'HTTP/1.1 200 OK\r\n\r\n'
const HEAD_END = '\r\n\r\n'

/** What it tells where it tells a password. */
export const BROKEN_INBOUND_PASSWORD = 'open-sesame'

/** Often enough for a suite with many clients, and too seldom for one with a few. */
const LEAK_EVERY = 50

class BrokenInbound implements Inbound {
  readonly #policies: PolicyManager
  readonly #fault: InboundFault | undefined
  readonly #open = new Set<Connection>()
  #clients = 0
  #last: Connection | undefined

  constructor({ policies, fault }: BrokenInboundOptions) {
    this.#policies = policies
    this.#fault = fault
  }

  async handle(connection: Connection, dispatch: Dispatch): Promise<void> {
    const fault = this.#fault
    this.#clients += 1
    this.#open.add(connection)
    connection.once('close', () => this.#open.delete(connection))
    const head = await this.#readHead(connection)
    if (head === undefined) return
    const [method = '', authority = ''] = head.split(' ')
    const target = parseAuthority(authority) ?? (fault === 'dispatches anything' ? { host: 'any', port: 1 } : undefined)
    if (target === undefined || (method !== 'CONNECT' && fault !== 'dispatches anything')) return hangUp(connection, 400)
    if (fault === 'answers early') connection.write(OK)
    if (fault === 'ends with its client') connection.once('end', () => connection.end())
    const link = new BrokenLink(this.#mixUp(connection), fault)
    const user = { name: 'alice', level: 0 }
    const request: SessionRequest = { target: { network: 'tcp', ...target }, ...(fault === 'names nobody' ? {} : { user }) }
    const { handshakeMs } = this.#policies.forLevel(0)
    const limit = fault === 'limits the session' ? setTimeout(() => connection.destroy(), handshakeMs) : undefined
    try {
      await Promise.all([dispatch(request, link), ...(fault === 'dispatches twice' ? [dispatch(request, link)] : [])])
    } catch (error) {
      const status = fault === 'answers all alike' ? 502 : answerTo(error).http
      const told = fault === 'tells a password' ? BROKEN_INBOUND_PASSWORD : ''
      await hangUp(connection, status, { told, stays: fault === 'keeps the connection' })
    } finally {
      clearTimeout(limit)
    }
  }

  drain(): void {
    if (this.#fault === 'drains too much') for (const connection of this.#open) connection.destroy()
  }

  /** With that fault, every session gets the connection of the one before it, while there is one. */
  #mixUp(connection: Connection): Connection {
    const last = this.#last
    this.#last = connection
    return this.#fault === 'mixes clients up' && last?.destroyed === false ? last : connection
  }

  #readHead(connection: Connection): Promise<string | undefined> {
    const { handshakeMs } = this.#policies.forLevel(0)
    return new Promise((resolve, reject) => {
      let bytes = Buffer.alloc(0)
      const done = (): void => {
        if (this.#fault !== 'leaves a timer') clearTimeout(limit)
        connection.off('data', onData).off('end', onEnd).off('close', onClose).pause()
      }
      const give = (head: string | undefined): void => { done(); resolve(head) }
      const onData = (chunk: Buffer): void => {
        bytes = Buffer.concat([bytes, chunk])
        const end = bytes.indexOf(HEAD_END)
        if (end < 0) return
        give(bytes.toString('latin1', 0, end))
        const rest = bytes.subarray(end + HEAD_END.length)
        if (rest.length > 0 && this.#fault !== 'loses pipelined bytes') connection.unshift(rest)
      }
      const onEnd = (): void => {
        give(undefined)
        connection.destroy()
      }
      const onClose = (): void => {
        if (this.#fault === 'rejects on a reset') {
          done()
          return reject(new Error('the client is gone'))
        }
        give(undefined)
      }
      if (this.#fault === 'leaks with time' && this.#clients % LEAK_EVERY === 0) setTimeout(() => {}, 60_000)
      const limitMs = this.#fault === 'forgets its limit' || this.#fault === 'leaves a timer' ? 60_000 : handshakeMs
      const limit = setTimeout(onEnd, limitMs)
      connection.on('data', onData).on('end', onEnd).on('close', onClose)
    })
  }
}

class BrokenLink implements Link {
  readonly reader: Readable
  readonly writer: Connection
  readonly #fault: InboundFault | undefined
  opened = false

  constructor(connection: Connection, fault: InboundFault | undefined) {
    this.reader = fault === 'wraps the reader' ? connection.pipe(new PassThrough()) : connection
    this.writer = connection
    this.#fault = fault
    connection.read(0)
  }

  open(): void {
    if (this.opened && this.#fault !== 'answers twice') return
    this.opened = true
    if (this.#fault !== 'answers early') this.writer.write(OK)
  }

  abort(): void {
    if (this.#fault === 'aborts cleanly') this.writer.destroy()
    else reset(this.writer)
  }
}

function hangUp(connection: Connection, status: number, { told = '', stays = false } = {}): Promise<void> {
  return new Promise((resolve) => {
    if (connection.destroyed) return resolve()
    connection.once('close', resolve)
    const answer = `HTTP/1.1 ${status} No\r\nContent-Length: ${told.length}\r\n\r\n${told}`
    if (stays) connection.write(answer)
    else connection.end(answer)
    connection.resume()
  })
}
