import { describe, expect, it } from 'vitest'
import { InstanceEvents, tcp, type Dialer } from '@sluice/core'
import { connectTo, scriptedUpstream, testContext, testLink, testPolicies, until, type Script } from '@sluice/testkit'
import { HttpOutbound } from '../src/index.js'

const dialer: Dialer = { dial: (to) => connectTo(to.port) }

/** One optimistic session through an upstream that does what the script says. */
async function start(script: Script, signal = new AbortController().signal) {
  const upstream = await scriptedUpstream(script)
  const settings = { servers: [{ address: '127.0.0.1', port: upstream.port }], optimisticOpen: true }
  const link = await testLink()
  const ctx = testContext({ target: tcp('a.test', 443), signal })
  const processed = new HttpOutbound(settings, '', testPolicies({ handshakeMs: 2_000 }), new InstanceEvents()).process(ctx, link, dialer)
  processed.catch(() => {})
  return { upstream, link, ctx, processed, close: async () => { link.close(); await processed.catch(() => {}); await upstream.close() } }
}

describe('HttpOutbound with optimisticOpen', () => {
  it('opens at once and holds payload back until the 2xx', async () => {
    const { upstream, link, close } = await start(async (peer) => {
      const head = await peer.expectHead()
      expect(head).toMatch(/^CONNECT a\.test:443 /)
      await peer.send('HTTP/1.1 103 x\r\n\r\n')
      await until(() => link.opened, 'the link to open')
      await link.client.send('payload')
      expect(peer.received.toString('latin1')).toBe(head)
      await peer.send('HTTP/1.1 200 OK\r\n\r\n')
      await peer.expect('payload')
      await peer.send('answer')
    })
    await link.client.expect('answer')
    expect(link.opens).toBeGreaterThan(0)
    await close()
    expect(upstream.connections).toBe(1)
  })

  it('resets a client whose tunnel did not open', async () => {
    const { link, processed, close } = await start(async (peer) => {
      await peer.expectHead()
      await peer.send('HTTP/1.1 403 no\r\nContent-Length: 0\r\n\r\n')
    })
    await expect(processed).rejects.toMatchObject({ code: 'STATUS', status: 403 })
    await until(() => link.client.resetByPeer, 'the reset')
    await close()
  })

  it('gives up when the client leaves', async () => {
    const { upstream, link, processed, close } = await start(async (peer) => {
      await peer.expectHead()
      await peer.closed
    })
    await until(() => upstream.requests.length === 1, 'the request')
    await link.client.reset()
    await expect(processed).rejects.toMatchObject({ code: 'ABORT', side: 'downstream' })
    await close()
  })

  it('rejects with the reason of the session\'s signal', async () => {
    const controller = new AbortController()
    const { upstream, processed, close } = await start(async (peer) => {
      await peer.expectHead()
      await peer.closed
    }, controller.signal)
    await until(() => upstream.requests.length === 1, 'the request')
    const reason = new Error('stop')
    controller.abort(reason)
    await expect(processed).rejects.toBe(reason)
    await close()
  })
})
