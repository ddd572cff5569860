import assert from 'node:assert/strict'
import { getEventListeners } from 'node:events'
import { pattern, sha256 } from '../../pattern.js'
import { lateReply } from '../../target/behaviours.js'
import { until } from '../../until.js'
import { Peer } from '../../upstream/peer.js'
import { within } from '../../within.js'
import type { OutboundCheck } from './outbound-check.js'

const BIG_BYTES = 8 * 1_048_576

/** What an outbound carries. */
export const trafficChecks: readonly OutboundCheck[] = [
  {
    title: 'process() reaches the target, opens the link, and resolves when both sides have ended',
    async run(bench) {
      const session = await bench.session(await bench.target('echo'))
      await session.opened()
      await session.client.send('hello')
      await session.client.expect('hello')
      await session.client.fin()
      await session.client.expectEnd()
      await session.resolved()
      const { outcome, uplinkBytes, downlinkBytes, attempts } = session.context.record
      assert.deepEqual({ outcome, uplinkBytes, downlinkBytes }, { outcome: 'closed', uplinkBytes: 5, downlinkBytes: 5 })
      assert.ok(attempts >= 1, `record.attempts is ${attempts}`)
      await bench.expectDialledGone()
    },
  },
  {
    title: 'process() carries 8 MiB each way unchanged',
    async run(bench) {
      const bytes = pattern(BIG_BYTES)
      const target = await bench.target('echo')
      const session = await bench.session(target)
      await session.opened()
      await within(4 * bench.limitMs, '8 MiB to go up', session.client.send(bytes))
      const { client } = session
      await until(() => client.receivedBytes >= BIG_BYTES, () => `8 MiB to come back: ${client.receivedBytes}`, 4 * bench.limitMs)
      assert.equal((await target.connection(0)).receivedSha256, sha256(bytes), 'SHA-256 of what the target received')
      assert.equal(sha256(session.client.received), sha256(bytes), 'SHA-256 of what the client received')
      const { uplinkBytes, downlinkBytes } = session.context.record
      assert.deepEqual({ uplinkBytes, downlinkBytes }, { uplinkBytes: BIG_BYTES, downlinkBytes: BIG_BYTES })
    },
  },
  {
    title: 'process() delivers what the target says first while the client is silent',
    async run(bench) {
      const session = await bench.session(await bench.target('banner'))
      await session.client.expect('SSH-2.0-test\r\n')
      assert.equal(session.link.opened, true, 'link.opened')
    },
  },
  {
    title: 'process() delivers what the client sent before the link was open',
    async run(bench) {
      const session = await bench.session(await bench.target('echo'), { sent: 'early' })
      await session.client.expect('early')
      await session.client.send(' and later')
      await session.client.expect(' and later')
    },
  },
  {
    title: 'process() loses no byte that comes glued to the answer of the upstream',
    scenario: 'glue',
    async run(bench) {
      const session = await bench.session(await bench.target('banner', { banner: 'glued to the answer' }))
      await session.client.expect('glued to the answer')
      await session.client.send('x')
      await session.client.expect('x')
    },
  },
  {
    title: 'process() passes the end of the client on and still delivers the late reply',
    applies: ({ halfClose }) => halfClose !== false,
    async run(bench) {
      const target = await bench.target('late-reply')
      const session = await bench.session(target)
      await session.opened()
      await session.client.send('question')
      await session.client.fin()
      await session.client.expect(lateReply(8, sha256(Buffer.from('question'))))
      await session.client.expectEnd()
      await session.resolved()
      assert.equal(session.context.record.outcome, 'closed')
    },
  },
  {
    title: 'process() passes the end of the target on while the client goes on',
    applies: ({ halfClose }) => halfClose !== false,
    async run(bench) {
      const bytes = pattern(1_048_576)
      const target = await bench.target('source', { bytes: 100_000 })
      const session = await bench.session(target)
      await session.client.expect(pattern(100_000))
      await session.client.expectEnd()
      await session.client.send(bytes)
      await session.client.fin()
      const seen = await target.connection(0)
      await until(() => seen.ended, () => `the end of the client at the target, which got ${seen.receivedBytes} bytes`, bench.limitMs)
      assert.equal(seen.receivedSha256, sha256(bytes), 'SHA-256 of what the target received')
      await session.resolved()
    },
  },
  {
    title: 'connect() hands over a tunnel that holds on to nothing',
    applies: ({ tunnel }) => tunnel !== false,
    async run(bench) {
      const { signal } = new AbortController()
      const peer = new Peer(await bench.connect(await bench.target('banner'), signal), { stepMs: bench.limitMs })
      assert.equal(getEventListeners(signal, 'abort').length, 0, "listeners for 'abort' left on ctx.signal")
      await peer.expect('SSH-2.0-test\r\n')
      await peer.send('hello')
      await peer.expect('hello')
      await peer.fin()
      if (bench.options.halfClose !== false) await peer.expectEnd()
      peer.socket.destroy()
      await peer.closed
    },
  },
]
