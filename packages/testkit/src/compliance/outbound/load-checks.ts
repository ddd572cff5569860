import assert from 'node:assert/strict'
import { leakCounter } from '../../leak-counter.js'
import { pattern, sha256 } from '../../pattern.js'
import type { Target } from '../../target/start-target.js'
import { until, untilSteady } from '../../until.js'
import type { OutboundBench } from './outbound-bench.js'
import type { OutboundCheck } from './outbound-check.js'
import type { TestSession } from './test-session.js'

const CHUNK = pattern(65_536)
const PAYLOAD_BYTES = 16_384
/** What may wait in the streams of one session; what the kernel and the upstream hold comes on top. */
const MAX_BUFFERED_BYTES = 1_048_576
/** Beyond any sum of kernel buffers and HTTP/2 windows on the way. */
const MAX_UNREAD_BYTES = 128 * 1_048_576

/** Back-pressure, many sessions at once, and what is left afterwards. */
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
  {
    title: 'process() leaves no socket, timer or listener behind, however sessions end',
    leavesNothing: true,
    async run(bench) {
      const echo = await bench.target('echo')
      const reset = await bench.target('reset')
      await exchange(bench, echo, 0)
      const counter = leakCounter()
      for (let round = 1; round <= 3; round += 1) {
        await exchange(bench, echo, round)
        if (bench.options.passesReset !== false) await cut(await bench.session(reset))
        const cancelled = await (await bench.session(echo)).opened()
        cancelled.controller.abort()
        await cancelled.settled()
        cancelled.link.close()
      }
      await bench.expectDialledGone()
      const seen = [...echo.connections, ...reset.connections]
      await until(() => seen.every(({ closed }) => closed), 'the targets to lose their clients', bench.limitMs)
      if (bench.options.pools !== true) await counter.expectNoLeaks(bench.limitMs)
    },
  },
]

/** A session whose target resets. */
async function cut(session: TestSession): Promise<void> {
  await session.opened()
  await session.client.send('x')
  await session.settled()
  session.link.close()
}

async function exchange(bench: OutboundBench, target: Target, index: number): Promise<void> {
  const session = await bench.session(target)
  const bytes = pattern(PAYLOAD_BYTES, index * 1_009)
  await session.client.send(bytes)
  const echoed = await session.client.expectBytes(PAYLOAD_BYTES)
  assert.equal(sha256(echoed), sha256(bytes), `SHA-256 of what came back in session ${index}`)
  await session.client.fin()
  await session.client.expectEnd()
  await session.resolved()
  session.link.close()
}
