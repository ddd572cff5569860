import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { Connection, Endpoint, InstanceEvents, Listener } from '@sluice/core'
import type { Admission } from './admission.js'
import { failure, type ControlAnswer } from './control-answer.js'

const MAX_HEAD_BYTES = 8 * 1_024
const MAX_CONNECTIONS = 64
/** How long a connection may take for its one request and the answer. */
const CONNECTION_MS = 60_000
/** How long answers under way may keep the instance from its end. */
const CLOSE_MS = 1_000

export interface ControlServerOptions {
  readonly listener: Listener
  readonly admission: Admission
  readonly events: InstanceEvents
  /** Answers what was admitted. */
  readonly answer: (method: string, url: string) => ControlAnswer | Promise<ControlAnswer>
}

/** Speaks HTTP/1.1 on a listener of the transport, one request for each connection: no outbound dials a listener of its own instance. */
export class ControlServer {
  readonly #options: ControlServerOptions
  readonly #http = createServer({ maxHeaderSize: MAX_HEAD_BYTES, requireHostHeader: true }, (request, response) => {
    void this.#answer(request, response)
  })
  #connections = 0
  /** Those that have asked. */
  readonly #answering = new Set<Connection>()
  #onIdle: () => void = () => {}

  constructor(options: ControlServerOptions) {
    this.#options = options
  }

  /** @returns where it listens. @throws what `listen(2)` says. */
  start(): Promise<Endpoint> {
    return this.#options.listener.start((connection) => this.#accept(connection))
  }

  /** Accepts no more, gives answers under way a second, and closes what is left. */
  async close(): Promise<void> {
    const { listener } = this.#options
    listener.stop()
    if (this.#answering.size > 0) {
      let timer: NodeJS.Timeout | undefined
      await new Promise<void>((resolve) => {
        this.#onIdle = resolve
        timer = setTimeout(resolve, CLOSE_MS)
      })
      clearTimeout(timer)
    }
    await listener.close()
  }

  #accept(connection: Connection): void {
    if (this.#connections >= MAX_CONNECTIONS) {
      connection.destroy()
      return
    }
    this.#connections++
    // Node's own limits work only where its server listens itself.
    const timer = setTimeout(() => connection.destroy(), CONNECTION_MS)
    connection.once('close', () => {
      clearTimeout(timer)
      this.#connections--
      this.#answering.delete(connection)
      if (this.#answering.size === 0) this.#onIdle()
    })
    this.#http.emit('connection', connection)
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    // What is asked behind the first request gets no answer.
    if (this.#answering.has(request.socket)) return
    this.#answering.add(request.socket)
    const { status, headers, text } = this.#options.admission.refusal(request) ?? await this.#asked(request)
    response.writeHead(status, {
      ...headers,
      'content-length': String(Buffer.byteLength(text)),
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      // Who is heard may be different for the next request, after a reload.
      connection: 'close',
    })
    response.end(text)
  }

  async #asked({ method = '', url = '' }: IncomingMessage): Promise<ControlAnswer> {
    try {
      return await this.#options.answer(method, url)
    } catch (error) {
      this.#options.events.log('error', 'The control interface failed to answer', { error })
      return failure(500, 'This is a bug; the log says more')
    }
  }
}
