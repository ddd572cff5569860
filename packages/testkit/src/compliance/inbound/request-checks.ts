import assert from 'node:assert/strict'
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { InboundCheck } from './inbound-check.js'
import type { Visit } from './visit.js'

/** What an inbound makes of a request. */
export const requestChecks: readonly InboundCheck[] = [
  {
    title: 'handle() dispatches exactly one session, to the target that was asked for, by whom it was',
    async run(bench) {
      for (const target of bench.targets) {
        const visit = await bench.asked('', target)
        const { request } = await visit.session()
        assert.deepEqual({ ...request.target }, { ...target }, 'target')
        assert.deepEqual(request.user, bench.options.user, 'user')
        await nextTurn()
        assert.equal(visit.dispatched.length, 1, 'sessions dispatched')
        await exchange(visit, 'hello')
        assert.equal(visit.dispatched.length, 1, 'sessions dispatched')
      }
    },
  },
  {
    title: 'handle() reads a request that comes byte by byte',
    async run(bench) {
      const visit = await bench.visit()
      await visit.client.send(bench.request(), { chunk: 1 })
      assert.deepEqual({ ...(await visit.session()).request.target }, { ...bench.target }, 'target')
      await exchange(visit, 'hello')
    },
  },
  {
    title: 'handle() keeps what the client sends right behind its request',
    async run(bench) {
      const visit = await bench.asked('right behind')
      const session = await visit.session()
      session.echo()
      assert.equal(await visit.echoed(12), 'right behind')
      await visit.client.send(' and later')
      assert.equal(await visit.echoed(22), 'right behind and later')
    },
  },
  {
    title: 'handle() passes the end of the client on and still delivers the late reply',
    async run(bench) {
      const visit = await bench.asked()
      const { link, finish } = await visit.session()
      link.open()
      await visit.answered()
      await visit.client.fin()
      await new Promise((resolve) => link.reader.once('end', resolve).resume())
      link.writer.end('late')
      assert.equal(await visit.echoed(4), 'late')
      finish()
      await visit.handled()
    },
  },
  {
    title: 'handle() leaves no socket or timer behind, however a client goes',
    leavesNothing: true,
    policy: { handshakeMs: 60_000 },
    async run(bench) {
      await exchange(await bench.asked(), 'hello')
      const silent = await bench.visit()
      await silent.client.reset()
      await silent.handled()
      const half = await bench.visit()
      await half.client.send(bench.request().subarray(0, -1))
      await half.client.fin()
      await half.refused()
      const refused = await bench.asked()
      ;(await refused.session()).fail(new Error('a bug'))
      await refused.answered()
      await refused.refused()
    },
  },
]

/** Sends that through the session, gets it back, and ends both sides. */
async function exchange(visit: Visit, text: string): Promise<void> {
  const session = await visit.session()
  session.echo()
  await visit.answered()
  await visit.client.send(text)
  assert.equal(await visit.echoed(text.length), text)
  await visit.client.fin()
  await visit.handled()
}
