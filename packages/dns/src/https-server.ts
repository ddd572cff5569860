import type { IncomingMessage } from 'node:http'
import { Agent, request } from 'node:https'
import { makeQuestion, readResponse } from './dns-message.js'
import type { AddressType, Answer, NameServer } from './name-server.js'

const MESSAGE = 'application/dns-message'
const MAX_BYTES = 65_535
const MAX_CONNECTIONS = 8
const IDLE_MS = 30_000

/** Asks by HTTPS (RFC 8484), over connections that are kept for the next question. */
export class HttpsServer implements NameServer {
  readonly label: string
  readonly #url: URL
  readonly #agent: Agent

  /** @param ca Trusted in place of Node's authorities, as PEM. */
  constructor(url: URL, ca?: string) {
    this.label = url.href
    this.#url = url
    this.#agent = new Agent({ keepAlive: true, maxSockets: MAX_CONNECTIONS, timeout: IDLE_MS, ...(ca === undefined ? {} : { ca }) })
  }

  async query(name: string, type: AddressType, signal: AbortSignal): Promise<Answer> {
    const question = makeQuestion(name, type, 0)
    const headers = { 'content-type': MESSAGE, accept: MESSAGE, 'content-length': question.packet.length }
    const response = readResponse(await this.#post(question.packet, headers, signal), question)
    if (typeof response === 'string') throw new Error('answered another question')
    return response
  }

  close(): void {
    this.#agent.destroy()
  }

  #post(body: Buffer, headers: Record<string, string | number>, signal: AbortSignal): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      const onError = (error: Error): void => reject(signal.aborted ? signal.reason as Error : error)
      const outgoing = request(this.#url, { method: 'POST', agent: this.#agent, headers, signal }, (incoming) => {
        incoming.on('error', onError)
        readBody(incoming).then(resolve, (error: Error) => {
          outgoing.destroy()
          onError(error)
        })
      })
      outgoing.on('error', onError)
      outgoing.end(body)
    })
  }
}

function readBody(incoming: IncomingMessage): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    if (incoming.statusCode !== 200) return reject(new Error(`answered with the HTTP status ${incoming.statusCode ?? 0}`))
    const chunks: Buffer[] = []
    let bytes = 0
    incoming.on('data', (chunk: Buffer) => {
      bytes += chunk.length
      if (bytes > MAX_BYTES) reject(new Error('answered with more than a DNS message can hold'))
      else chunks.push(chunk)
    })
    incoming.on('end', () => resolve(Buffer.concat(chunks)))
    incoming.on('close', () => reject(new Error('broke its answer off')))
  })
}
