import { describe, expect, it } from 'vitest'
import { InstanceEvents, type DialerFactory, type OutboundHandler } from '@sluice/core'
import { testContext, testPolicies } from '@sluice/testkit'
import { transport } from '@sluice/transport'
import type { HttpOutbound } from '../src/index.js'
import { createOutbound, dialer, requestFor, serverOf, startUpstream, TARGET, WIRES, type Variant } from './harness.js'

const [wire] = WIRES as readonly [Variant, Variant]
const Factory = transport.dialers as new (...values: unknown[]) => DialerFactory

/** A dialer through another outbound, which itself dials over TCP. */
function through(outer: HttpOutbound): ReturnType<typeof dialer> {
  const over = dialer()
  const handler: OutboundHandler = {
    tag: 'outer', protocol: 'http',
    process: (ctx, link) => outer.process(ctx, link, over),
    connect: (ctx) => outer.connect(ctx, over),
  }
  const factory = new Factory(new InstanceEvents(), testPolicies(), { counter: () => undefined })
  return factory.create({ tag: '', stream: {}, through: () => handler })
}

describe('An http outbound behind another', () => {
  it('asks the outer proxy for its own server, and that one for the target', async () => {
    await using upstream = await startUpstream(wire, async (peer) => {
      await peer.expectHead()
      await peer.send('HTTP/1.1 200 OK\r\n\r\n')
      await peer.expectHead()
      await peer.send('HTTP/1.1 200 OK\r\n\r\nfirst')
    })
    const outer = createOutbound({ servers: [serverOf(upstream)] })
    const inner = createOutbound({ servers: [{ address: 'inner.test', port: 3128, users: [{ user: 'me', pass: 'x' }] }] })
    const ctx = testContext({ target: TARGET })
    const connection = await inner.connect(ctx, through(outer))
    expect(upstream.requests).toEqual([requestFor('inner.test:3128'), requestFor(undefined, 'Proxy-Authorization: Basic bWU6eA==')])
    expect(ctx.record).toMatchObject({ server: 'inner.test:3128', attempts: 1 })
    connection.destroy()
  })

  it('keeps its account when the outer proxy refuses its own, or wants one', async () => {
    await using upstream = await startUpstream(wire, async (peer) => {
      await peer.expectHead()
      if (peer.index === 0) return peer.send('HTTP/1.1 407 x\r\nProxy-Authenticate: Basic\r\n\r\n')
      await peer.send('HTTP/1.1 200 OK\r\n\r\n')
      await peer.expectHead()
      await peer.send('HTTP/1.1 200 OK\r\n\r\n')
    })
    const events = new InstanceEvents()
    let downs = 0
    events.on('server:down', () => downs++)
    const inner = createOutbound({ servers: [{ address: 'inner.test', port: 3128, users: [{ user: 'me', pass: 'x' }] }] }, {}, events)
    const over = through(createOutbound({ servers: [serverOf(upstream)] }))
    const server = `127.0.0.1:${upstream.port}`
    await expect(inner.connect(testContext({ target: TARGET }), over)).rejects.toMatchObject({ code: 'AUTH', server })
    expect(upstream.requests).toHaveLength(1)
    const connection = await inner.connect(testContext({ target: TARGET }), over)
    expect(upstream.requests.at(-1)).toContain('Proxy-Authorization: Basic bWU6eA==')
    expect(downs).toBe(0)
    connection.destroy()
  })
})
