import assert from 'node:assert/strict'
import { ProxyError } from '@sluice/core'
import type { InboundBench } from './inbound-bench.js'
import type { InboundCheck } from './inbound-check.js'

const AT_ONCE = 50

/** Many clients, and the end of all. */
export const loadChecks: readonly InboundCheck[] = [
  {
    title: 'handle() serves many clients at once, mixes none up, and leaves nothing behind',
    leavesNothing: true,
    policy: { handshakeMs: 60_000 },
    async run(bench) {
      const { clients = 200 } = bench.options
      let next = 0
      const lane = async (): Promise<void> => {
        for (let index = next++; index < clients; index = next++) await WAYS[index % WAYS.length]?.(bench, index)
      }
      await Promise.all(Array.from({ length: AT_ONCE }, lane))
    },
  },
  {
    title: 'drain() lets a session go on to its end',
    async run(bench) {
      const visit = await bench.asked()
      const session = await visit.session()
      session.echo()
      await visit.answered()
      bench.setup.inbound.drain?.()
      await visit.client.send('still here')
      assert.equal(await visit.echoed(10), 'still here')
      await visit.client.fin()
      await visit.handled()
    },
  },
]

type Way = (bench: InboundBench, index: number) => Promise<void>

const WAYS: readonly Way[] = [exchange, resetWithinRequest, exchange, isRefused, resetInSession]

async function exchange(bench: InboundBench, index: number): Promise<void> {
  const visit = await bench.asked()
  const session = await visit.session()
  session.echo()
  await visit.answered()
  const text = `this is client ${index}`
  await visit.client.send(text)
  assert.equal(await visit.echoed(text.length), text)
  await visit.client.fin()
  await visit.handled()
}

async function resetWithinRequest(bench: InboundBench): Promise<void> {
  const visit = await bench.visit()
  await visit.client.send(bench.request().subarray(0, -1))
  await visit.client.reset()
  await visit.handled()
}

async function isRefused(bench: InboundBench): Promise<void> {
  const visit = await bench.asked()
  ;(await visit.session()).fail(new ProxyError('STATUS', 'The server answered 503', { status: 503 }))
  await visit.refused()
}

async function resetInSession(bench: InboundBench): Promise<void> {
  const visit = await bench.asked()
  const session = await visit.session()
  session.echo()
  await visit.answered()
  await visit.client.reset()
  await visit.handled()
}
