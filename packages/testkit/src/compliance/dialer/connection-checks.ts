import assert from 'node:assert/strict'
import { until } from '../../until.js'
import { Peer } from '../../upstream/peer.js'
import type { DialerCheck } from './dialer-check.js'

/** What a connection is fit for when `dial` resolves. */
export const connectionChecks: readonly DialerCheck[] = [
  {
    title: 'dial() resolves when bytes can be written, and they arrive both ways',
    async run(bench) {
      const upstream = await bench.peer(async (peer) => {
        await peer.expect('ping')
        await peer.send('pong')
      })
      const connection = await bench.dial(upstream.port)
      assert.equal(connection.writable, true, 'connection.writable')
      assert.notEqual((connection as { connecting?: boolean }).connecting, true, 'connection.connecting')
      const client = new Peer(connection, { stepMs: bench.limitMs })
      await client.send('ping')
      await client.expect('pong')
    },
  },
  {
    title: 'dial() loses nothing that the peer says first',
    async run(bench) {
      const upstream = await bench.peer((peer) => peer.send('220 ready\r\n'))
      const connection = await bench.dial(upstream.port)
      await upstream.peer(0)
      await new Peer(connection, { stepMs: bench.limitMs }).expect('220 ready\r\n')
    },
  },
  {
    title: 'dial() gives a connection that still delivers a late reply after end()',
    async run(bench) {
      const upstream = await bench.peer(async (peer) => {
        await peer.expect('question')
        await peer.expectEnd()
        await peer.send('late reply')
        await peer.fin()
      })
      const client = new Peer(await bench.dial(upstream.port), { stepMs: bench.limitMs })
      await client.send('question')
      await client.fin()
      await client.expect('late reply')
      await client.expectEnd()
    },
  },
  {
    title: 'dial() gives a connection that can still be written to after the end of the peer',
    async run(bench) {
      const upstream = await bench.peer(async (peer) => {
        await peer.fin()
        await peer.expect('and more')
      })
      const client = new Peer(await bench.dial(upstream.port), { stepMs: bench.limitMs })
      await client.expectEnd()
      await client.send('and more')
      const peer = await upstream.peer(0)
      await until(() => peer.receivedBytes === 8, 'the bytes after the end of the peer', bench.limitMs)
    },
  },
  {
    title: 'dial() gives a connection whose reset harms nobody who does not listen for errors',
    async run(bench) {
      const upstream = await bench.peer(async (peer) => {
        await peer.expect('x')
        await peer.reset()
      })
      const connection = await bench.dial(upstream.port)
      assert.ok(connection.listenerCount('error') > 0, "no listener for 'error'")
      connection.write('x')
      connection.resume()
      await until(() => connection.destroyed, 'the connection to be gone', bench.limitMs)
    },
  },
  {
    title: 'dial() opens a connection of its own for each call',
    async run(bench) {
      const upstream = await bench.peer((peer) => peer.send(`#${peer.index}`))
      const [first, second] = await Promise.all([bench.dial(upstream.port), bench.dial(upstream.port)])
      const third = await bench.dial(upstream.port)
      assert.equal(new Set([first, second, third]).size, 3, 'connections')
      await upstream.peer(2)
      assert.equal(upstream.connections, 3, 'connections that the peer has accepted')
    },
  },
  {
    title: 'dial() agrees on no protocol without TLS',
    applies: ({ tls }) => tls === undefined,
    async run(bench) {
      const { alpnProtocol } = await bench.dial((await bench.peer(() => {})).port, { alpn: ['h2'] })
      assert.ok(alpnProtocol == null, `alpnProtocol is ${alpnProtocol}`)
    },
  },
  {
    title: 'dial() agrees on the protocol that is offered and that the peer knows',
    applies: ({ tls }) => tls !== undefined,
    async run(bench) {
      const upstream = await bench.peer(() => {})
      for (const protocol of bench.options.tls?.alpn ?? []) {
        const { alpnProtocol } = await bench.dial(upstream.port, { alpn: [protocol] })
        assert.equal(alpnProtocol, protocol, 'alpnProtocol')
      }
    },
  },
  {
    title: 'dial() has alpnProtocol false where the peer knows no ALPN',
    applies: ({ tls }) => tls !== undefined,
    async run(bench) {
      const { certPem = '', keyPem = '' } = bench.options.tls ?? {}
      const { alpnProtocol } = await bench.dial((await bench.peer(() => {}, { certPem, keyPem })).port)
      assert.equal(alpnProtocol, false, 'alpnProtocol')
    },
  },
]
