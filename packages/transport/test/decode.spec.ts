import { getEventListeners, once } from 'node:events'
import { Readable, type Duplex } from 'node:stream'
import { leakCounter, Peer, pattern, tcpPair, until } from '@sluice/testkit'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { abort, connectionPair, decode, UnexpectedEnd, type Decoder } from '../src/index.js'
import { readAll } from './read-all.js'
import { rejection } from './rejection.js'

const never = new AbortController().signal

/** A message is its length in one byte, then that many bytes. Length 255 is refused. */
class Prefixed implements Decoder<Buffer> {
  #seen = Buffer.alloc(0)

  push(chunk: Buffer): { value: Buffer; rest: Buffer } | undefined {
    this.#seen = Buffer.concat([this.#seen, chunk])
    const length = this.#seen[0]
    if (length === 255) throw new RangeError('Cannot decode a message of 255 bytes')
    if (length === undefined || this.#seen.length < length + 1) return undefined
    return { value: this.#seen.subarray(1, length + 1), rest: this.#seen.subarray(length + 1) }
  }
}

function message(text: string): Buffer {
  return Buffer.concat([Buffer.of(text.length), Buffer.from(text)])
}

const WATCHED = ['data', 'readable', 'error', 'close', 'drain', 'finish']

/** The listeners that are not Node's own. Node adds one for `end` itself when a FIN arrives. */
function listeners(stream: Duplex | Readable): number[] {
  return WATCHED.map((event) => stream.listenerCount(event))
}

describe('decode()', () => {
  it('takes one message and puts back what follows', async () => {
    const [client, server] = await tcpPair()
    const before = listeners(server)
    client.end(Buffer.concat([message('hello'), Buffer.from('rest')]))
    expect((await decode(server, new Prefixed(), never)).toString()).toBe('hello')
    expect(listeners(server)).toEqual(before)
    expect(server.isPaused()).toBe(true)
    expect(await readAll(server)).toBe('rest')
    server.destroy()
  })

  it('takes a message that comes in single bytes', async () => {
    const [client, server] = await tcpPair()
    const reading = decode(server, new Prefixed(), never)
    await new Peer(client).send(message('in single bytes'), { chunk: 1 })
    expect((await reading).toString()).toBe('in single bytes')
    client.destroy()
    server.destroy()
  })

  it('takes a message with whose last byte the FIN comes, and the end is still to be had', async () => {
    for (const rest of ['', 'rest']) {
      const [client, server] = await tcpPair()
      client.end(Buffer.concat([message('hello'), Buffer.from(rest)]))
      await new Promise((resolve) => { client.once('finish', resolve) })
      await new Promise(setImmediate)
      expect((await decode(server, new Prefixed(), never)).toString()).toBe('hello')
      expect(await readAll(server)).toBe(rest)
      expect(server.readableEnded).toBe(true)
      server.destroy()
    }
  })

  it('reads message after message', async () => {
    const [client, server] = await tcpPair()
    client.write(Buffer.concat([message('one'), message('two'), message('three').subarray(0, 2)]))
    expect((await decode(server, new Prefixed(), never)).toString()).toBe('one')
    expect((await decode(server, new Prefixed(), never)).toString()).toBe('two')
    const third = decode(server, new Prefixed(), never)
    client.write(message('three').subarray(2))
    expect((await third).toString()).toBe('three')
    client.destroy()
    server.destroy()
  })

  it('lets the stream fill up to its high-water mark afterwards, and no further', async () => {
    const [client, server] = await tcpPair()
    client.write(message('go'))
    client.write(pattern(1 << 20))
    await decode(server, new Prefixed(), never)
    await until(() => server.readableLength >= server.readableHighWaterMark, 'the stream to fill up')
    await new Promise(setImmediate)
    expect(server.readableLength).toBeLessThan(server.readableHighWaterMark + (64 << 10) + 1)
    client.destroy()
    server.destroy()
  })

  it('rejects with UnexpectedEnd when the stream ends in the middle', async () => {
    const [client, server] = await tcpPair()
    const before = listeners(server)
    client.end(message('hello').subarray(0, 3))
    const error = await rejection(decode(server, new Prefixed(), never))
    expect(error).toBeInstanceOf(UnexpectedEnd)
    expect(error).not.toHaveProperty('cause')
    expect(listeners(server)).toEqual(before)
    server.destroy()
  })

  it('rejects with UnexpectedEnd and the cause when the stream is reset in the middle', async () => {
    const [client, server] = await tcpPair()
    const before = listeners(server)
    const reading = rejection(decode(server, new Prefixed(), never))
    await new Peer(client).send(message('hello').subarray(0, 3))
    await until(() => server.bytesRead === 3, 'the bytes to arrive')
    abort(client, new Error('cut by the test'))
    const error = await reading
    expect(error).toBeInstanceOf(UnexpectedEnd)
    expect(error).toMatchObject({ cause: { code: 'ECONNRESET' } })
    expect(listeners(server)).toEqual(before)
  })

  it('rejects when the stream is destroyed in the middle', async () => {
    const [, server] = await tcpPair()
    const reading = rejection(decode(server, new Prefixed(), never))
    server.destroy()
    expect(await reading).toBeInstanceOf(UnexpectedEnd)
  })

  it('rejects for a stream that ended or was destroyed before', async () => {
    const ended = Readable.from([]).resume()
    await once(ended, 'end')
    expect(await rejection(decode(ended, new Prefixed(), never))).toBeInstanceOf(UnexpectedEnd)
    const cause = new Error('cut by the test')
    const destroyed = new Readable({ read() {} }).on('error', () => {}).destroy(cause)
    const error = await rejection(decode(destroyed, new Prefixed(), never))
    expect(error).toBeInstanceOf(UnexpectedEnd)
    expect(error).toMatchObject({ cause })
  })

  it('rejects for a half-open connection whose end was read before', async () => {
    const [client, server] = await tcpPair()
    client.end()
    server.resume()
    await once(server, 'end')
    expect(await rejection(decode(server, new Prefixed(), never))).toBeInstanceOf(UnexpectedEnd)
    server.destroy()
  })

  it('rejects with what the decoder throws', async () => {
    const [client, server] = connectionPair()
    const before = listeners(server)
    client.write(Buffer.of(255))
    expect(await rejection(decode(server, new Prefixed(), never))).toBeInstanceOf(RangeError)
    expect(listeners(server)).toEqual(before)
    expect(server.destroyed).toBe(false)
  })

  it('rejects with the reason of its signal as it is, before and during', async () => {
    const counter = leakCounter()
    const [client, server] = await tcpPair()
    const before = listeners(server)
    const controller = new AbortController()
    const reading = rejection(decode(server, new Prefixed(), controller.signal))
    const reason = { any: 'value' }
    controller.abort(reason)
    expect(await reading).toBe(reason)
    expect(await rejection(decode(server, new Prefixed(), controller.signal))).toBe(reason)
    expect(listeners(server)).toEqual(before)
    expect(getEventListeners(controller.signal, 'abort')).toEqual([])
    expect(server.destroyed).toBe(false)
    client.destroy()
    server.destroy()
    await counter.expectNoLeaks()
  })

  it('gives the same message and rest however the bytes are cut', async () => {
    await fc.assert(fc.asyncProperty(
      fc.string({ maxLength: 40, unit: 'binary-ascii' }),
      fc.string({ maxLength: 40, unit: 'binary-ascii' }),
      fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 1, maxLength: 30 }),
      async (text, rest, sizes) => {
        const [client, server] = connectionPair()
        const bytes = Buffer.concat([message(text), Buffer.from(rest)])
        const reading = decode(server, new Prefixed(), never)
        for (let at = 0, turn = 0; at < bytes.length; turn += 1) {
          const size = sizes[turn % sizes.length] as number
          client.write(bytes.subarray(at, at + size))
          at += size
        }
        client.end()
        expect((await reading).toString()).toBe(text)
        expect(await readAll(server)).toBe(rest)
      },
    ), { numRuns: 200 })
  })
})
