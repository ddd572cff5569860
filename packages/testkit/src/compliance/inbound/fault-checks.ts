import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { ProxyError } from '@sluice/core'
import { flushed } from '../../flushed.js'
import { until } from '../../until.js'
import type { InboundBench } from './inbound-bench.js'
import type { InboundCheck } from './inbound-check.js'
import type { Visit } from './visit.js'

const SHORT_MS = 200

/** What clients may do to an inbound. */
export const faultChecks: readonly InboundCheck[] = [
  {
    title: 'handle() refuses or cuts a client whose first bytes are no request, and dispatches nothing',
    async run(bench) {
      for (const bytes of bench.setup.malformed) {
        const visit = await bench.visit()
        await visit.client.send(bytes)
        await visit.refused()
        expectNothingDispatched(visit)
      }
    },
  },
  {
    title: 'handle() survives a client that resets within its request',
    async run(bench) {
      for (const bytes of parts(bench.request())) {
        const visit = await bench.visit()
        await visit.client.send(bytes)
        await visit.client.reset()
        await visit.handled()
        expectNothingDispatched(visit)
      }
    },
  },
  {
    title: 'handle() survives a client that ends within its request',
    async run(bench) {
      for (const bytes of parts(bench.request())) {
        const visit = await bench.visit()
        await visit.client.send(bytes)
        await visit.client.fin()
        await visit.refused()
        expectNothingDispatched(visit)
      }
    },
  },
  {
    title: 'handle() cuts a client whose request is not whole within handshakeMs',
    policy: { handshakeMs: SHORT_MS },
    async run(bench) {
      const request = bench.request()
      await Promise.all([Buffer.alloc(0), request.subarray(0, 1), request.subarray(0, -1)].map((bytes) => expectCut(bench, bytes)))
    },
  },
  {
    title: 'handle() sets no limit to how long the tunnel takes to open, once the request is whole',
    policy: { handshakeMs: SHORT_MS },
    async run(bench) {
      const visit = await bench.asked()
      const session = await visit.session()
      await sleep(2 * SHORT_MS)
      session.echo()
      await visit.client.send('x')
      assert.equal(await visit.echoed(1), 'x')
    },
  },
  {
    title: 'handle() lets the reset of a client between request and answer be seen at link.reader',
    async run(bench) {
      for (const behind of ['', 'payload']) {
        const visit = await bench.asked(behind)
        const { link, fail } = await visit.session()
        const closed = new Promise((resolve) => link.reader.once('close', resolve).on('error', () => {}))
        await visit.client.reset()
        await until(() => link.reader.destroyed, 'link.reader to be closed', bench.limitMs)
        await closed
        fail(new ProxyError('ABORT', 'The client is gone', { side: 'downstream' }))
        await visit.handled()
      }
    },
  },
  {
    title: 'link.abort() resets the client before and after the link is opened, and is idempotent',
    async run(bench) {
      for (const open of [false, true]) {
        const visit = await bench.asked()
        const { link, finish } = await visit.session()
        if (open) {
          link.open()
          await visit.answered()
        }
        await flushed()
        const error = new Error('cut')
        link.abort(error)
        link.abort(error)
        await visit.client.expectReset()
        assert.equal(visit.client.ended, false, 'the client saw a clean end')
        finish()
        await visit.handled()
      }
    },
  },
]

/** Nothing, the first byte, the half, and all but the last byte. */
function parts(request: Buffer): Buffer[] {
  return [0, 1, request.length >> 1, request.length - 1].map((end) => request.subarray(0, end))
}

async function expectCut(bench: InboundBench, bytes: Buffer): Promise<void> {
  const start = performance.now()
  const visit = await bench.visit()
  await visit.client.send(bytes)
  await visit.refused()
  const elapsed = Math.round(performance.now() - start)
  assert.ok(elapsed >= 0.8 * SHORT_MS && elapsed <= 2 * SHORT_MS + 1_000, `cut after ${elapsed} ms, and the limit is ${SHORT_MS} ms`)
  expectNothingDispatched(visit)
}

function expectNothingDispatched(visit: Visit): void {
  assert.equal(visit.dispatched.length, 0, 'sessions dispatched')
}
