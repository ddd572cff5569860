import assert from 'node:assert/strict'
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Connection } from '@sluice/core'
import { startTarget } from '../../target/start-target.js'
import { until } from '../../until.js'
import { Peer } from '../../upstream/peer.js'
import type { DialerCheck } from './dialer-check.js'

/** What the signal does to a dial. */
export const signalChecks: readonly DialerCheck[] = [
  {
    title: 'dial() rejects with signal.reason when aborted before, and dials nothing',
    leavesNothing: true,
    async run(bench) {
      const upstream = await bench.peer(() => {})
      const reason = new Error('not wanted')
      assert.equal(await bench.rejected(bench.dial(upstream.port, { signal: AbortSignal.abort(reason) })), reason)
      await nextTurn()
      assert.equal(upstream.peers.length, 0, 'connections that the peer has accepted')
    },
  },
  {
    title: 'dial() rejects with signal.reason when aborted at once, and leaves nothing open',
    leavesNothing: true,
    async run(bench) {
      const upstream = await bench.peer(() => {})
      const controller = new AbortController()
      const reason = new Error('no longer wanted')
      const dial = bench.dial(upstream.port, { signal: controller.signal })
      controller.abort(reason)
      assert.equal(await bench.rejected(dial), reason)
      const gone = (): boolean => upstream.peers.every(({ ended, socket }) => ended || socket.destroyed)
      await until(gone, 'the peer to lose its connection', bench.limitMs)
    },
  },
  {
    title: 'dial() rejects with signal.reason when aborted in the TLS handshake, and leaves nothing open',
    leavesNothing: true,
    applies: ({ tls }) => tls !== undefined,
    async run(bench) {
      // It speaks no TLS, and so never answers the handshake.
      await using silent = await startTarget('silent')
      const controller = new AbortController()
      const reason = new Error('no longer wanted')
      const dial = bench.dial(silent.port, { signal: controller.signal })
      const rejection = bench.rejected(dial)
      const seen = await silent.connection(0)
      await until(() => seen.receivedBytes > 0, 'the handshake to begin', bench.limitMs)
      controller.abort(reason)
      assert.equal(await rejection, reason)
      await until(() => seen.ended || seen.closed, 'the peer to lose its connection', bench.limitMs)
    },
  },
  {
    title: 'dial() hands over a connection to which a later abort does nothing',
    async run(bench) {
      const upstream = await bench.peer(async (peer) => {
        await peer.expect('still there?')
        await peer.send('yes')
      })
      const controller = new AbortController()
      const client = new Peer(await bench.dial(upstream.port, { signal: controller.signal }), { stepMs: bench.limitMs })
      controller.abort(new Error('too late'))
      await nextTurn()
      assert.equal(client.socket.destroyed, false, 'connection.destroyed')
      await client.send('still there?')
      await client.expect('yes')
    },
  },
  {
    title: 'dial() leaves nothing behind after many dials, of which some are broken off',
    leavesNothing: true,
    async run(bench) {
      const upstream = await bench.peer(() => {})
      await Promise.all(Array.from({ length: bench.options.dials ?? 100 }, async (_, index) => {
        const controller = new AbortController()
        const dial = bench.dial(upstream.port, { signal: controller.signal })
        if (index % 3 !== 2) return void (await dial).destroy()
        const reason = new Error('no longer wanted')
        setImmediate(() => { controller.abort(reason) })
        const outcome = await dial.catch((error: unknown) => error)
        assert.ok(outcome === reason || !(outcome instanceof Error), `dial() rejected with ${String(outcome)}`)
        if (outcome !== reason) (outcome as Connection).destroy()
      }))
    },
  },
  {
    title: 'dial() leaves nothing behind once its connections are gone',
    leavesNothing: true,
    async run(bench) {
      const upstream = await bench.peer((peer) => peer.fin())
      for (let count = 0; count < 5; count += 1) {
        const client = new Peer(await bench.dial(upstream.port), { stepMs: bench.limitMs })
        await client.expectEnd()
        await client.fin()
        await client.closed
      }
    },
  },
]
