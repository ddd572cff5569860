import { describe, expect, it } from 'vitest'
import { answerConnects, pattern, type RawHttp2Peer } from '@sluice/testkit'
import { connect, echoes, endingOf, openIn, outboundTo, poolTo, proxyOf, until, upstreamOf, within } from './harness.js'

/** Writes many frames, as fast as the client takes them, until the connection ends or `count` are written. */
async function flood(peer: RawHttp2Peer, count: number, write: () => void): Promise<void> {
  for (let written = 0; written < count && peer.ending === undefined; written++) {
    write()
    if (peer.socket.writableLength > 1_048_576) {
      await Promise.race([peer.closed, new Promise((resolve) => peer.socket.once('drain', resolve))])
    }
  }
}

const FLOODS: readonly (readonly [string, number, (peer: RawHttp2Peer) => void])[] = [
  ['PING', 30_000, (peer) => peer.ping()],
  ['SETTINGS', 20_000, (peer) => peer.settings({ maxConcurrentStreams: 100 })],
  ['empty DATA', 20_000, (peer) => peer.data(1, '')],
  ['PRIORITY', 30_000, (peer) => peer.frame({ type: 'PRIORITY', streamId: 1, payload: Buffer.alloc(5) })],
  ['WINDOW_UPDATE', 30_000, (peer) => peer.windowUpdate(1, 1)],
  ['unknown frames', 30_000, (peer) => peer.frame({ type: 0xee, streamId: 1, payload: Buffer.alloc(20) })],
  ['RST_STREAM', 30_000, (peer) => peer.rst(1, 8)],
]

describe('floods', () => {
  it.each(FLOODS)('C135 %s: survived, or the session is closed, within bounds', async (_, count, write) => {
    const upstream = await proxyOf()
    const outbound = outboundTo([upstream])
    await connect(outbound)
    const before = process.memoryUsage.rss()
    await within(8_000, 'the flood to end', flood(upstream.peers[0]!, count, () => write(upstream.peers[0]!)))
    await within(2_000, 'a new tunnel', connect(outbound).then((tunnel) => echoes(tunnel, pattern(1_000))))
    expect(process.memoryUsage.rss() - before).toBeLessThan(64 * 1_048_576)
  })

  it('C135 a header block that never ends is cut off', async () => {
    const upstream = await upstreamOf(async (peer) => {
      if (peer.index > 0) return answerConnects(peer)
      await peer.handshake({ maxConcurrentStreams: 100 })
      const { streamId } = await peer.expectRequest()
      peer.headers(streamId, [[':status', '200']], { endHeaders: false })
      await flood(peer, 100_000, () => peer.continuation(streamId, [['x', 'y'.repeat(1_000)]], { endHeaders: false }))
    })
    await within(5_000, 'the tunnel', connect(outboundTo([upstream])))
    await until(() => upstream.peers[0]?.ending !== undefined, 'the first connection to end')
  })

  it('C135 an answer of 200 fields is refused', async () => {
    const upstream = await proxyOf({ fields: Array.from({ length: 200 }, (_, index) => [`x-${index}`, 'y'] as const) })
    await expect(connect(outboundTo([upstream], { policy: { handshakeMs: 100 } }))).rejects.toMatchObject({ code: 'CLOSED' })
  })

  it('cuts tunnels of a flooded session visibly', async () => {
    const upstream = await proxyOf()
    const pool = poolTo(upstream)
    const ending = endingOf(await openIn(pool))
    await flood(upstream.peers[0]!, 20_000, () => upstream.peers[0]!.data(1, ''))
    expect(await ending).toMatchObject({ error: expect.any(Error) as Error, ended: false })
  })
})
