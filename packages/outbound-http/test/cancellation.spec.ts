import { describe, expect, it } from 'vitest'
import { InstanceEvents } from '@sluice/core'
import { until, within } from '@sluice/testkit'
import { answer, createOutbound, dialer, PAYLOAD, serverOf, Session, startUpstream, VARIANTS, WIRES } from './harness.js'

/** Whoever cancels may give any reason, and gets it back as it is. */
const REASON = { why: 'the client left' }

interface Told {
  readonly events: InstanceEvents
  readonly downs: unknown[]
}

function listening(): Told {
  const events = new InstanceEvents()
  const downs: unknown[] = []
  events.on('server:down', (event) => downs.push(event))
  return { events, downs }
}

async function expectCancelled(session: Session): Promise<void> {
  const startedAt = performance.now()
  const reason = await within(100, 'process to reject', session.done.then(() => undefined, (error: unknown) => error))
  expect(reason).toBe(REASON)
  expect(performance.now() - startedAt).toBeLessThan(100)
}

for (const wire of WIRES) describe(`A session over ${wire.over} that is cancelled`, () => {
  it('before it began dials nothing', async () => {
    await using upstream = await startUpstream(wire, answer('HTTP/1.1 200 OK\r\n\r\n'))
    const outbound = createOutbound({ servers: [serverOf(upstream)] })
    const session = await Session.start(outbound, wire.dialer, { signal: AbortSignal.abort(REASON) })
    await expectCancelled(session)
    await session.refused([upstream])
    expect(upstream.connections).toBe(0)
    expect(session.ctx.record.attempts).toBe(0)
    session.close()
  })

  it.each([
    ['cold', false],
    ['known', true],
  ])('while it waits for the answer of a %s server cuts the connection and blames nobody', async (_, isWarm) => {
    await using upstream = await startUpstream(wire, async (peer) => {
      await peer.expectHead()
      if (isWarm && peer.index === 0) await peer.send('HTTP/1.1 200 OK\r\n\r\n')
    })
    const { events, downs } = listening()
    const outbound = createOutbound({ servers: [serverOf(upstream)] }, {}, events)
    if (isWarm) {
      const first = await Session.start(outbound, wire.dialer)
      await first.opened()
      await (await upstream.peer(0)).expect(PAYLOAD)
      await first.end(await upstream.peer(0))
      first.close()
    }
    const cancelling = new AbortController()
    const session = await Session.start(outbound, wire.dialer, { signal: cancelling.signal, payload: 'none of it is sent' })
    await until(() => upstream.requests.length === (isWarm ? 2 : 1), 'the request')
    cancelling.abort(REASON)
    await expectCancelled(session)
    const peer = await upstream.peer(isWarm ? 1 : 0)
    await within(100, 'the upstream socket to be closed', peer.closed)
    expect(peer.received.toString()).toBe(upstream.requests.at(-1))
    expect(session.ctx.record.attempts).toBe(1)
    expect(session.link.opened).toBe(false)
    expect(downs).toEqual([])
    session.close()
  })

  it('in the pause between two attempts ends at once', async () => {
    await using upstream = await startUpstream(wire, (peer) => { peer.reset() })
    const cancelling = new AbortController()
    const session = await Session.start(createOutbound({ servers: [serverOf(upstream)] }), wire.dialer, { signal: cancelling.signal })
    await (await upstream.peer(0)).closed
    cancelling.abort(REASON)
    await expectCancelled(session)
    await session.refused([upstream])
    expect(upstream.connections).toBe(1)
    session.close()
  })

  it('while the tunnel is open cuts both sides', async () => {
    await using upstream = await startUpstream(wire, answer('HTTP/1.1 200 OK\r\n\r\n'))
    const cancelling = new AbortController()
    const session = await Session.start(createOutbound({ servers: [serverOf(upstream)] }), wire.dialer, { signal: cancelling.signal })
    await session.opened()
    const peer = await upstream.peer(0)
    await peer.expect(PAYLOAD)
    cancelling.abort(REASON)
    await expectCancelled(session)
    await within(100, 'both peers to be cut', Promise.all([peer.closed, session.link.client.closed]))
    expect([peer.resetByPeer, session.link.client.resetByPeer]).toEqual([true, true])
    session.close()
  })
})

describe('A session that is cancelled while it is dialled', () => {
  // TCP connects, and then the TLS handshake waits for a server that says nothing.
  const [silent] = VARIANTS
  if (silent === undefined) throw new Error('no wire')

  it.each([['the first of its server', false], ['one of a crowd', true]])('%s: the dial is given up', async (_, isCrowd) => {
    await using upstream = await startUpstream(silent, () => {})
    const { events, downs } = listening()
    const outbound = createOutbound({ servers: [serverOf(upstream)] }, {}, events)
    const over = dialer({})
    const cancelling = new AbortController()
    const session = await Session.start(outbound, over, { signal: cancelling.signal })
    const other = new AbortController()
    const bystander = isCrowd ? await Session.start(outbound, over, { signal: other.signal }) : undefined
    const peer = await upstream.peer(0)
    cancelling.abort(REASON)
    await expectCancelled(session)
    if (bystander !== undefined) {
      expect(peer.socket.destroyed).toBe(false)
      other.abort(REASON)
      await expectCancelled(bystander)
      bystander.close()
    }
    await until(() => peer.ended, 'the dial to be given up', 100)
    expect(upstream.connections).toBe(1)
    expect(session.link.opened).toBe(false)
    expect(downs).toEqual([])
    session.close()
  })
})

describe('HttpOutbound.close()', () => {
  it('leaves an open tunnel over HTTP/1.1 to its session', async () => {
    const [wire] = WIRES
    if (wire === undefined) throw new Error('no wire')
    await using upstream = await startUpstream(wire, answer('HTTP/1.1 200 OK\r\n\r\nfirst'))
    const outbound = createOutbound({ servers: [serverOf(upstream)] })
    const session = await Session.start(outbound, wire.dialer)
    await session.link.client.expect('first')
    outbound.close()
    const peer = await upstream.peer(0)
    await peer.send('second')
    await session.link.client.expect('second')
    await peer.expect(PAYLOAD)
    await session.end(peer)
    session.close()
  })
})
