import { PassThrough, type Readable } from 'node:stream'
import {
  answerTo, parseAuthority, type Connection, type Dispatch, type Inbound, type Link, type PolicyManager, type SessionRequest,
} from '@sluice/core'
import { reset } from '../../src/index.js'

/** A mistake that somebody may make in an inbound. */
export type InboundFault =
  | 'answers early' | 'answers twice' | 'loses pipelined bytes' | 'answers all alike' | 'keeps the connection' | 'rejects on a reset'
  | 'forgets its limit' | 'limits the session' | 'dispatches anything' | 'dispatches twice' | 'aborts cleanly' | 'wraps the reader'
  | 'ends with its client' | 'leaves a timer' | 'names nobody'

const OK = 'HTTP/1.1 200 OK\r\n\r\n'
const HEAD_END = '\r\n\r\n'

/** An HTTP CONNECT inbound in its plainest form, right but for the fault that it is asked to have. */
export class ReferenceInbound implements Inbound {
  readonly #policies: PolicyManager
  readonly #fault: InboundFault | undefined

  constructor(policies: PolicyManager, fault?: InboundFault) {
    this.#policies = policies
    this.#fault = fault
  }

  async handle(connection: Connection, dispatch: Dispatch): Promise<void> {
    const fault = this.#fault
    const head = await this.#readHead(connection)
    if (head === undefined) return
    const [method = '', authority = ''] = head.split(' ')
    const target = parseAuthority(authority) ?? (fault === 'dispatches anything' ? { host: 'any', port: 1 } : undefined)
    if (target === undefined || (method !== 'CONNECT' && fault !== 'dispatches anything')) return hangUp(connection, 400)
    if (fault === 'answers early') connection.write(OK)
    if (fault === 'ends with its client') connection.once('end', () => connection.end())
    const link = new ReferenceLink(connection, fault)
    const user = { name: 'alice', level: 0 }
    const request: SessionRequest = { target: { network: 'tcp', ...target }, ...(fault === 'names nobody' ? {} : { user }) }
    const { handshakeMs } = this.#policies.forLevel(0)
    const limit = fault === 'limits the session' ? setTimeout(() => connection.destroy(), handshakeMs) : undefined
    try {
      await Promise.all([dispatch(request, link), ...(fault === 'dispatches twice' ? [dispatch(request, link)] : [])])
    } catch (error) {
      await hangUp(connection, fault === 'answers all alike' ? 502 : answerTo(error).http, fault === 'keeps the connection')
    } finally {
      clearTimeout(limit)
    }
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
      const limitMs = this.#fault === 'forgets its limit' || this.#fault === 'leaves a timer' ? 60_000 : handshakeMs
      const limit = setTimeout(onEnd, limitMs)
      connection.on('data', onData).on('end', onEnd).on('close', onClose)
    })
  }
}

class ReferenceLink implements Link {
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

function hangUp(connection: Connection, status: number, stays = false): Promise<void> {
  return new Promise((resolve) => {
    if (connection.destroyed) return resolve()
    connection.once('close', resolve)
    const answer = `HTTP/1.1 ${status} No\r\nContent-Length: 0\r\n\r\n`
    if (stays) connection.write(answer)
    else connection.end(answer)
    connection.resume()
  })
}
