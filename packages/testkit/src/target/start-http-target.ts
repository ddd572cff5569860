import { once } from 'node:events'
import { createServer, type IncomingMessage, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tcp, type Destination } from '@sluice/core'

/** One request as an HTTP target saw it. */
export interface SeenRequest {
  readonly method: string
  readonly url: string
  /** Names and values in turn, as they came. */
  readonly rawHeaders: readonly string[]
  readonly body: Buffer
}

/** An origin server on loopback for plain HTTP. */
export interface HttpTarget extends AsyncDisposable {
  readonly host: string
  readonly port: number
  readonly destination: Destination
  /** All requests whose bodies came to their end. */
  readonly requests: readonly SeenRequest[]
  close(): Promise<void>
}

/**
 * Starts an origin server. It answers 200, and sends back the body of the request; a request without one gets `METHOD URL`.
 *
 * @param respond Answers in place of that; the body has been read already.
 */
export async function startHttpTarget(respond?: RequestListener): Promise<HttpTarget> {
  const requests: SeenRequest[] = []
  const server = createServer((request, response) => {
    readBody(request, (body) => {
      requests.push({ method: request.method ?? '', url: request.url ?? '', rawHeaders: request.rawHeaders, body })
      if (respond !== undefined) return respond(request, response)
      response.end(body.length > 0 ? body : `${request.method} ${request.url}`)
    })
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const { port } = server.address() as AddressInfo
  const close = async (): Promise<void> => {
    const closed = new Promise<void>((resolve) => { server.close(() => { resolve() }) })
    server.closeAllConnections()
    await closed
  }
  return { host: '127.0.0.1', port, destination: tcp('127.0.0.1', port), requests, close, [Symbol.asyncDispose]: close }
}

function readBody(request: IncomingMessage, done: (body: Buffer) => void): void {
  const chunks: Buffer[] = []
  request.on('data', (chunk: Buffer) => chunks.push(chunk)).once('end', () => { done(Buffer.concat(chunks)) })
}
