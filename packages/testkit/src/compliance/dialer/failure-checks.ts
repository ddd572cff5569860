import assert from 'node:assert/strict'
import { tcp } from '@sluice/core'
import { closedPort } from '../../listening.js'
import { within } from '../../within.js'
import type { DialerCheck } from './dialer-check.js'

/** How a dial fails. */
export const failureChecks: readonly DialerCheck[] = [
  {
    title: 'dial() fails with its code and cause where nobody listens',
    leavesNothing: true,
    async run(bench) {
      await bench.failed(bench.dial(await closedPort()), bench.options.refusedCode ?? 'DIAL')
    },
  },
  {
    title: 'dial() fails with its code and cause for a name that does not exist',
    leavesNothing: true,
    applies: ({ unknownNameCode }) => unknownNameCode !== false,
    async run(bench) {
      // RFC 2606 §2: never a name of anybody.
      const dial = bench.dialer.dial(tcp('no-such-host.invalid', 80), { signal: new AbortController().signal })
      const { unknownNameCode: code = 'DNS' } = bench.options
      if (code !== false) await within(4 * bench.limitMs, 'dial() to fail', bench.failed(dial, code))
    },
  },
  {
    title: 'dial() fails with CERT for a peer that is not trusted, and sends it nothing',
    leavesNothing: true,
    applies: ({ untrusted }) => untrusted !== undefined,
    async run(bench) {
      const upstream = await bench.peer(() => {}, bench.options.untrusted)
      await bench.failed(bench.dial(upstream.port), 'CERT')
      assert.equal(upstream.peers.reduce((sum, { receivedBytes }) => sum + receivedBytes, 0), 0, 'bytes that the peer received')
    },
  },
  {
    title: 'dial() fails as an upstream whose handshake breaks off',
    leavesNothing: true,
    applies: ({ tls }) => tls !== undefined,
    async run(bench) {
      // Its first byte is the client's first TLS record, and it answers with a reset.
      const upstream = await bench.peer(async (peer) => {
        await peer.expectBytes(1)
        await peer.reset()
      }, null)
      await bench.failed(bench.dial(upstream.port), 'TLS')
    },
  },
]
