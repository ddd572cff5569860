import assert from 'node:assert/strict'
import { pattern, sha256 } from '../../pattern.js'
import { until, untilSteady } from '../../until.js'
import { exchange } from './exchange.js'
import type { OutboundCheck } from './outbound-check.js'

const CHUNK = pattern(65_536)
/** What may wait in the streams of one session; what the kernel and the upstream hold comes on top. */
const MAX_BUFFERED_BYTES = 1_048_576
/** Beyond any sum of kernel buffers and HTTP/2 windows on the way. */
const MAX_UNREAD_BYTES = 128 * 1_048_576

/** Back-pressure, and many sessions at once. */
export const loadChecks: readonly OutboundCheck[] = [
  {
    title: 'process() makes the target wait for a client that does not read, and then delivers everything',
    async run(bench) {
      const target = await bench.target('source', { bytes: Infinity })
      const session = await bench.session(target, { paused: true })
      await session.opened()
      const { writer } = session.link
      const seen = await target.connection(0)
      const sent = await untilSteady(() => {
        assert.ok(writer.writableLength <= MAX_BUFFERED_BYTES, `link.writer holds ${writer.writableLength} bytes that nobody reads`)
        assert.ok(seen.sentBytes <= MAX_UNREAD_BYTES, `the target has sent ${seen.sentBytes} bytes that the client does not read`)
        return seen.sentBytes
      }, 'what the target sent')
      session.client.resume()
      await until(() => session.client.receivedBytes > sent, 'all that the target has sent', 4 * bench.limitMs)
      assert.equal(sha256(session.client.received.subarray(0, sent)), sha256(pattern(sent)), 'SHA-256 of what the client received')
    },
  },
  {
    title: 'process() makes the client wait for a target that does not read, and then delivers everything',
    async run(bench) {
      const target = await bench.target('sink', { paused: true })
      const session = await bench.session(target)
      await session.opened()
      const { socket } = session.client
      let sent = 0
      const pump = (): void => {
        while (sent <= MAX_UNREAD_BYTES && socket.write(CHUNK)) sent += CHUNK.length
      }
      socket.on('drain', () => {
        sent += CHUNK.length
        pump()
      })
      pump()
      await untilSteady(() => sent, 'what the client sent')
      assert.ok(sent <= MAX_UNREAD_BYTES, `the client has sent ${sent} bytes that the target does not read`)
      for (const { writableLength } of bench.dialer.connections) {
        assert.ok(writableLength <= MAX_BUFFERED_BYTES, `the connection to the upstream holds ${writableLength} bytes that nobody reads`)
      }
      socket.removeAllListeners('drain')
      const seen = await target.connection(0)
      seen.socket.resume()
      const total = sent + CHUNK.length
      await until(() => seen.receivedBytes === total, () => `${total} bytes at the target: ${seen.receivedBytes}`, 4 * bench.limitMs)
      const all = Buffer.concat(Array<Buffer>(total / CHUNK.length).fill(CHUNK))
      assert.equal(seen.receivedSha256, sha256(all), 'SHA-256 of what the target received')
    },
  },
  {
    title: 'process() carries many sessions at once and mixes none up',
    leavesNothing: true,
    async run(bench) {
      const target = await bench.target('echo')
      await Promise.all(Array.from({ length: bench.options.sessions ?? 100 }, (_, index) => exchange(bench, target, index)))
      await bench.expectDialledGone()
    },
  },
]
