import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import type { Connection, Dispatch } from '@sluice/core'
import { MAX_HEAD_BYTES } from './forwarded-request.js'
import { PlainClient, type PlainClientOptions } from './plain-client.js'
import type { RequestHead } from './request-head.js'
import { RequestRefusal } from './request-refusal.js'
import { upgradeOf, withoutUpgrade } from './upgrade-request.js'

/**
 * Serves plain HTTP requests to a proxy: absolute-form in, one session each, connections kept alive, `Expect: 100-continue` and
 * upgrades passed on.
 *
 * Framing on the client's side is Node's strict parser's, on the target's side likewise: one parser each, and neither passes on
 * what it did not understand.
 */
export class PlainHttp {
  readonly #options: PlainClientOptions
  readonly #server: Server
  readonly #clients = new Map<Duplex, PlainClient>()
  #isDraining = false

  constructor(options: PlainClientOptions) {
    this.#options = options
    const serverOptions = {
      maxHeaderSize: MAX_HEAD_BYTES, insecureHTTPParser: false, requireHostHeader: false,
      keepAliveTimeout: 0, requestTimeout: 0, headersTimeout: 0,
      // Node 20 does not ask: see #onUpgrade.
      shouldUpgradeCallback: (incoming: IncomingMessage) => upgradeOf(incoming) !== undefined,
    }
    this.#server = Object.assign(createServer(serverOptions), {
      // Node would cut a longer list of fields in silence; ours is bounded in bytes, and counted.
      maxHeadersCount: 0,
      // A client that ends its side behind its request still wants the answer.
      httpAllowHalfOpen: true,
    })
    const onRequest = (incoming: IncomingMessage, response: ServerResponse): void => this.#of(incoming.socket)?.request(incoming, response)
    this.#server.on('request', onRequest).on('checkContinue', onRequest).on('checkExpectation', onRequest)
    this.#server.on('upgrade', (incoming: IncomingMessage, connection: Duplex, head: Buffer) => this.#onUpgrade(incoming, connection, head))
    this.#server.on('connect', (incoming: IncomingMessage, connection: Duplex, head: Buffer) => {
      if (head.length > 0) connection.unshift(head)
      this.#of(connection)?.connect(incoming)
    })
    this.#server.on('clientError', (error: NodeJS.ErrnoException, connection: Duplex) => {
      const refusal = refusalOf(error)
      if (refusal === undefined) connection.destroy()
      else this.#of(connection)?.malformed(refusal)
    })
  }

  /**
   * Serves a connection whose first bytes are still unread, to its end or to a CONNECT, which is then the caller's to serve.
   * @param headMs How long the head of the first request may still take; 0 = no limit.
   */
  serve(connection: Connection, dispatch: Dispatch, headMs: number): Promise<RequestHead | undefined> {
    return new Promise((resolve, reject) => {
      if (connection.destroyed) return resolve(undefined)
      const client = new PlainClient(connection, dispatch, this.#options, headMs, {
        released: (connect) => {
          this.#clients.delete(connection)
          resolve(connect)
        },
        failed: reject,
      })
      this.#clients.set(connection, client)
      this.#parse(connection)
      connection.on('data', client.onData)
      if (this.#isDraining) client.drain()
    })
  }

  /** Ends the connections that only wait for a next request, and those at work behind their answer. */
  drain(): void {
    this.#isDraining = true
    for (const client of this.#clients.values()) client.drain()
  }

  #onUpgrade(incoming: IncomingMessage, connection: Duplex, head: Buffer): void {
    const upgrade = upgradeOf(incoming)
    if (head.length > 0) connection.unshift(head)
    if (upgrade !== undefined) return this.#of(connection)?.upgrade(incoming, upgrade)
    // Node 20 has stopped to read it as HTTP, so it begins again.
    connection.unshift(withoutUpgrade(incoming))
    this.#parse(connection)
  }

  #parse(connection: Duplex): void {
    this.#server.emit('connection', connection)
    // It is paused, and what was looked at before is still in it.
    connection.resume()
  }

  #of(connection: Duplex): PlainClient | undefined {
    return this.#clients.get(connection)
  }
}

/** What is wrong with what a client sent; nothing if its connection failed. */
function refusalOf({ code = '' }: NodeJS.ErrnoException): RequestRefusal | undefined {
  if (!code.startsWith('HPE_')) return undefined
  if (code === 'HPE_HEADER_OVERFLOW') {
    return new RequestRefusal(431, 'LIMIT', `The head of the request is larger than ${MAX_HEAD_BYTES} bytes`)
  }
  if (code === 'HPE_INVALID_METHOD') return new RequestRefusal(501, 'UNSUPPORTED', 'The method is not served')
  return new RequestRefusal(400, 'PROTO', 'The request is malformed')
}
