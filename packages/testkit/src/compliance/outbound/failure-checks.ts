import assert from 'node:assert/strict'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { until } from '../../until.js'
import type { OutboundCheck } from './outbound-check.js'

const SENT = 'what the client sent'

/** What an outbound does before the link is open. */
export const failureChecks: readonly OutboundCheck[] = [
  {
    title: 'process() opens the link only when the upstream is connected',
    async run(bench) {
      bench.dialer.hold()
      const session = await bench.session(await bench.target('echo'), { sent: SENT })
      await until(() => bench.dialer.dials > 0, 'the first dial', bench.limitMs)
      for (let turn = 0; turn < 5; turn += 1) await nextTurn()
      assert.equal(session.link.opened, false, 'link.open() was called while the dial went on')
      bench.dialer.release()
      await session.client.expect(SENT)
    },
  },
  {
    title: 'process() opens the link only when the upstream has answered',
    scenario: 'stall',
    async run(bench) {
      const target = await bench.target('echo')
      const session = await bench.session(target, { sent: SENT })
      await until(() => bench.dialer.connections.length > 0, 'the connection to the upstream', bench.limitMs)
      await session.client.expectSilence(50)
      assert.equal(session.link.opened, false, 'link.open() was called before the answer')
      assert.equal(target.connections.length, 0, 'connections to the target')
    },
  },
  {
    title: 'process() rejects with a ProxyError of side upstream and leaves the link untouched when the dial fails',
    async run(bench) {
      bench.dialer.refuse()
      const session = await bench.session(await bench.target('echo'), { sent: SENT })
      const error = await session.failed('upstream')
      assert.ok(['DIAL', 'CLOSED'].includes(error.code), `code of a refused dial: ${error.code}`)
      await session.expectUntouched(SENT)
    },
  },
  {
    title: 'process() rejects with TIMEOUT and leaves the link untouched when the upstream does not answer in handshakeMs',
    scenario: 'stall',
    policy: { handshakeMs: 200 },
    async run(bench) {
      const session = await bench.session(await bench.target('echo'), { sent: SENT })
      await session.failed('upstream', 'TIMEOUT')
      await session.expectUntouched(SENT)
      await bench.expectDialledGone()
    },
  },
  {
    title: 'process() rejects when the upstream refuses, leaves the link untouched, and asks only once',
    scenario: 'refuse',
    async run(bench) {
      const target = await bench.target('echo')
      const session = await bench.session(target, { sent: SENT })
      await session.failed('upstream')
      await session.expectUntouched(SENT)
      assert.equal(session.context.record.attempts, 1, 'record.attempts')
      assert.equal(target.connections.length, 0, 'connections to the target')
      await bench.expectDialledGone()
    },
  },
  {
    title: 'process() tells no secret where the upstream refuses or cannot be dialled',
    scenario: 'refuse',
    applies: ({ secrets = [] }) => secrets.length > 0,
    async run(bench) {
      const target = await bench.target('echo')
      await (await bench.session(target)).rejected()
      bench.dialer.refuse()
      await (await bench.session(target)).rejected()
    },
  },
  {
    title: 'process() rejects with signal.reason when aborted before it starts, and dials nothing',
    async run(bench) {
      const controller = new AbortController()
      const reason = new Error('the client is gone')
      controller.abort(reason)
      const target = await bench.target('echo')
      const session = await bench.session(target, { sent: SENT, controller })
      assert.equal(await session.rejected(), reason)
      await session.expectUntouched(SENT)
      assert.equal(bench.dialer.connections.length, 0, 'connections dialled')
      assert.equal(target.connections.length, 0, 'connections to the target')
    },
  },
  {
    title: 'process() rejects with signal.reason when aborted in the dial',
    async run(bench) {
      bench.dialer.hold()
      const session = await bench.session(await bench.target('echo'), { sent: SENT })
      await until(() => bench.dialer.dials > 0, 'the first dial', bench.limitMs)
      const reason = new Error('the client is gone')
      session.controller.abort(reason)
      assert.equal(await session.rejected(), reason)
      await session.expectUntouched(SENT)
    },
  },
  {
    title: 'process() rejects with signal.reason and closes its connection when aborted in the handshake',
    scenario: 'stall',
    async run(bench) {
      const session = await bench.session(await bench.target('echo'), { sent: SENT })
      await until(() => bench.dialer.connections.length > 0, 'the connection to the upstream', bench.limitMs)
      const reason = new Error('the client is gone')
      session.controller.abort(reason)
      assert.equal(await session.rejected(), reason)
      await session.expectUntouched(SENT)
      await bench.expectDialledGone()
    },
  },
]
