import assert from 'node:assert/strict'
import { flushed } from '../../flushed.js'
import type { TargetKind } from '../../target/behaviours.js'
import type { TargetConnection } from '../../target/target-connection.js'
import { until } from '../../until.js'
import type { OutboundBench } from './outbound-bench.js'
import type { OutboundCheck } from './outbound-check.js'
import type { TestSession } from './test-session.js'

const SHORT_MS = 300

/** How open sessions end other than by both sides' wish. */
export const endingChecks: readonly OutboundCheck[] = [
  {
    title: 'process() resolves with outcome idle when nothing moves for connIdleMs',
    policy: { connIdleMs: SHORT_MS },
    async run(bench) {
      const { session, seen } = await openSession(bench, 'silent')
      await expectDuration(SHORT_MS, () => session.resolved())
      assert.equal(session.context.record.outcome, 'idle')
      await expectGone(bench, seen)
    },
  },
  {
    title: 'process() ends a client that stays idle for uplinkOnlyMs after the end of the target',
    policy: { uplinkOnlyMs: SHORT_MS },
    applies: ({ halfClose }) => halfClose !== false,
    async run(bench) {
      const session = await bench.session(await bench.target('source', { bytes: 1_000 }))
      await session.client.expectBytes(1_000)
      await expectDuration(SHORT_MS, () => session.resolved())
      assert.equal(session.context.record.outcome, 'closed')
      await bench.expectDialledGone()
    },
  },
  {
    title: 'process() ends a target that stays idle for downlinkOnlyMs after the end of the client',
    policy: { downlinkOnlyMs: SHORT_MS },
    async run(bench) {
      const { session, seen } = await openSession(bench, 'silent')
      await session.client.fin()
      await expectDuration(SHORT_MS, () => session.resolved())
      assert.equal(session.context.record.outcome, 'closed')
      await expectGone(bench, seen)
    },
  },
  {
    title: 'process() cuts the upstream when the client resets',
    async run(bench) {
      const { session, seen } = await openSession(bench, 'echo')
      await session.client.reset()
      await session.failed('downstream', 'ABORT')
      await expectGone(bench, seen)
      if (bench.options.passesReset !== false) assert.equal(seen.ended, false, 'the target saw a clean end')
    },
  },
  {
    title: 'process() resets the client when the target resets, and never ends it cleanly',
    applies: ({ passesReset }) => passesReset !== false,
    async run(bench) {
      const session = await bench.session(await bench.target('reset'))
      await session.opened()
      await session.client.send('x')
      await session.client.expectReset()
      await session.failed('upstream', 'ABORT')
      await bench.expectDialledGone()
    },
  },
  {
    title: 'process() rejects with signal.reason and resets both sides when aborted in the relay',
    async run(bench) {
      const { session, seen } = await openSession(bench, 'echo')
      const reason = new Error('the session is cut')
      session.controller.abort(reason)
      await session.client.expectReset()
      assert.equal(await session.rejected(), reason)
      await expectGone(bench, seen)
      if (bench.options.passesReset !== false) assert.equal(seen.ended, false, 'the target saw a clean end')
    },
  },
]

/** A session through which one byte went up, and what the target sees of it. */
async function openSession(bench: OutboundBench, kind: TargetKind): Promise<{ session: TestSession, seen: TargetConnection }> {
  const target = await bench.target(kind)
  const session = await bench.session(target)
  await session.opened()
  await session.client.send('x')
  const seen = await target.connection(0)
  await until(() => seen.receivedBytes === 1, 'the first byte to arrive', bench.limitMs)
  if (kind === 'echo') await session.client.expect('x')
  await flushed()
  return { session, seen }
}

async function expectGone(bench: OutboundBench, seen: TargetConnection): Promise<void> {
  await until(() => seen.closed || seen.ended, 'the target to lose its client', bench.limitMs)
  await bench.expectDialledGone()
}

async function expectDuration(ms: number, wait: () => Promise<void>): Promise<void> {
  const start = performance.now()
  await wait()
  const elapsed = Math.round(performance.now() - start)
  assert.ok(elapsed >= 0.8 * ms && elapsed <= 2 * ms + 1_000, `it took ${elapsed} ms, and the limit is ${ms} ms`)
}
