import type { ServerHttp2Stream } from 'node:http2'
import { FLAG, leakCounter, until, within } from '@sluice/testkit'
import { describe, expect, it } from 'vitest'
import { ClientSession, type SessionTimes, type StreamRequest } from '../../src/http2/client-session.js'
import { RawClient } from './raw-client.js'
import { accept, clientOn, connectTo, type Accepted } from './served-http2.js'

const NO_ERROR = 0
const CANCEL = 8
const SHORT_MS = 60

interface Running extends Accepted, AsyncDisposable {
  readonly session: ClientSession
  readonly requests: readonly StreamRequest[]
  readonly failures: readonly string[]
  request(index?: number): Promise<ServerHttp2Stream>
}

/** A session over a real connection, whose requests are the test's to answer. */
async function start(times: Partial<SessionTimes> = {}): Promise<Running> {
  const accepted = await accept()
  const requests: StreamRequest[] = []
  const failures: string[] = []
  const session = new ClientSession(accepted.connection, {
    handshakeMs: 5_000,
    onRequest: (request) => requests.push(request),
    onFailed: ({ message }) => failures.push(message),
    times: { idleMs: 60_000, lingerMs: 60_000, silenceMs: 60_000, ...times },
  })
  return {
    ...accepted, session, requests, failures,
    async request(index = 0) {
      await until(() => index < requests.length, `request ${index}`)
      return (requests[index] as StreamRequest).stream
    },
    async [Symbol.asyncDispose]() {
      accepted.socket.destroy()
      await within(2_000, 'the session to be closed', session.closed)
      await accepted.close()
    },
  }
}

describe('ClientSession', () => {
  it('C129 closes a connection without a tunnel after idleMs with GOAWAY, and never one with a tunnel', async () => {
    await using running = await start({ idleMs: SHORT_MS, lingerMs: SHORT_MS })
    const client = new RawClient(running.socket)
    client.hello()
    client.connect(1)
    const stream = await running.request()
    stream.respond({ ':status': 200 })
    await new Promise((resolve) => setTimeout(resolve, 3 * SHORT_MS))
    expect(client.goawayCode).toBeUndefined()
    stream.end()
    client.data(1, '', { endStream: true })
    await until(() => client.goawayCode === NO_ERROR && client.ended, 'GOAWAY and the end')
    await running.session.closed
  })

  it('closes a connection whose client made ready and asks for nothing', async () => {
    await using running = await start({ idleMs: SHORT_MS, lingerMs: SHORT_MS })
    const client = new RawClient(running.socket)
    client.hello()
    await until(() => client.goawayCode === NO_ERROR && client.ended, 'GOAWAY and the end')
    // The client never ends its side.
    await running.session.closed
  })

  it('drain() ends a connection without a tunnel at once', async () => {
    await using running = await start()
    const client = clientOn(running)
    const tunnel = connectTo(client)
    ;(await running.request()).respond({ ':status': 204 }, { endStream: true })
    tunnel.stream.end()
    await until(() => tunnel.closed, 'the stream to close')
    running.session.drain()
    await running.session.closed
    expect(client.destroyed).toBe(true)
  })

  it('C130 drain() lets tunnels go on, takes no further ones, and ends with the last', async () => {
    await using running = await start()
    const client = new RawClient(running.socket)
    client.hello()
    for (const streamId of [1, 3]) client.connect(streamId)
    const streams = [await running.request(0), await running.request(1)]
    for (const stream of streams) {
      stream.respond({ ':status': 200 })
      stream.pipe(stream)
    }
    running.session.drain()
    await until(() => client.goawayCode === NO_ERROR, 'GOAWAY')
    expect(client.of(0, 'GOAWAY')[0]?.payload.readUInt32BE(0)).toBe(3)
    client.connect(5)
    for (const streamId of [1, 3]) {
      client.data(streamId, 'still here', { endStream: true })
      await until(() => client.hasEnd(streamId), 'the echo')
      expect(client.received(streamId)).toBe('still here')
    }
    await until(() => client.ended, 'the end')
    expect(running.requests).toHaveLength(2)
    running.socket.end()
    await running.session.closed
  })

  it('C130 a client\'s GOAWAY lets its tunnels go on, and ends the connection with the last', async () => {
    await using running = await start()
    const client = clientOn(running)
    const tunnel = connectTo(client)
    const stream = await running.request()
    stream.respond({ ':status': 200 })
    stream.pipe(stream)
    await tunnel.answered()
    client.close()
    tunnel.stream.end('still here')
    await until(() => tunnel.closed, 'the stream to close')
    expect(tunnel).toMatchObject({ received: 'still here', ended: true })
    await running.session.closed
  })

  it('asks a silent client for a sign of life, and leaves one alone that gives it', async () => {
    await using running = await start({ silenceMs: 3 * SHORT_MS })
    const tunnel = connectTo(clientOn(running))
    const stream = await running.request()
    stream.respond({ ':status': 200 })
    await tunnel.answered()
    await new Promise((resolve) => setTimeout(resolve, 10 * SHORT_MS))
    expect(running.failures).toEqual([])
    stream.write('still here')
    await tunnel.receives('still here')
  })

  it('C133 gives a client up that answers no PING, with its tunnels', async () => {
    await using running = await start({ silenceMs: SHORT_MS })
    const client = new RawClient(running.socket)
    client.hello()
    client.connect(1)
    const stream = await running.request()
    stream.respond({ ':status': 200 })
    let error: Error | undefined
    stream.once('error', (reason: Error) => { error = reason })
    await running.session.closed
    await until(() => error !== undefined, 'the tunnel to be cut')
    expect(client.of(0, 'PING')).toHaveLength(1)
    expect(running.failures).toEqual(['The client gives no sign of life'])
  })

  // After these Node 20 only says GOAWAY, if that: it neither reads on nor tells of it.
  it.each<[string, (client: RawClient) => void]>([
    ['resets what it opens without end', (client) => {
      for (let streamId = 3; streamId < 4_000; streamId += 2) {
        client.connect(streamId)
        client.rst(streamId, CANCEL)
      }
    }],
    ['sends DATA to a stream that it never opened', (client) => client.data(9, 'x')],
    ['sends a PING of 3 bytes', (client) => client.frame({ type: 'PING', payload: Buffer.alloc(3) })],
    ['sends fields that cannot be decoded', (client) => {
      client.frame({ type: 'HEADERS', streamId: 3, flags: FLAG.END_HEADERS, payload: Buffer.alloc(5, 0xff) })
    }],
    ['opens a window beyond all bounds', (client) => client.windowUpdate(0, 0x7fff_ffff)],
    ['asks for too many answers to SETTINGS', (client) => { for (let count = 0; count < 3_000; count++) client.settings() }],
    ['opens a stream of the server\'s', (client) => client.connect(2)],
  ])('T9 gives a client up that %s, with its tunnels', async (_, misbehave) => {
    const counter = leakCounter()
    {
      await using running = await start({ silenceMs: SHORT_MS, lingerMs: SHORT_MS })
      const client = new RawClient(running.socket)
      client.hello()
      client.connect(1)
      const stream = await running.request()
      stream.respond({ ':status': 200 })
      let closed = false
      stream.once('close', () => { closed = true })
      misbehave(client)
      await running.session.closed
      await until(() => closed, 'the tunnel to be cut')
      expect(running.failures).toHaveLength(1)
    }
    await counter.expectNoLeaks()
  })
})
