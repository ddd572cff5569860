import { describe, expect, it } from 'vitest'
import type { Connection } from '@sluice/core'
import { FRAME, pattern, sha256, untilSteady, type AnsweredTunnel, type Frame } from '@sluice/testkit'
import { connect, onlyTarget, openIn, outboundTo, poolTo, proxyOf, read, times, until } from './harness.js'

const MIB = 1_048_576

/** The value of a setting in the client's first SETTINGS. */
function settingOf(payload: Buffer, id: number): number | undefined {
  for (let at = 0; at < payload.length; at += 6) if (payload.readUInt16BE(at) === id) return payload.readUInt32BE(at + 2)
  return undefined
}

describe('flow control', () => {
  it('announces windows of 4 MiB for a stream and 64 MiB for a session, and no push', async () => {
    const upstream = await proxyOf()
    await connect(outboundTo([upstream]))
    const frames = upstream.peers[0]?.frames ?? []
    const settings = frames.find(({ type }) => type === FRAME.SETTINGS)?.payload ?? Buffer.alloc(0)
    expect(settingOf(settings, 4)).toBe(4 * MIB)
    expect(settingOf(settings, 2)).toBe(0)
    const update = frames.find(({ type, streamId }) => type === FRAME.WINDOW_UPDATE && streamId === 0)
    expect(update?.payload.readUInt32BE(0)).toBe(64 * MIB - 65_535)
  })

  it('lets a target send no more than the window of its stream, where nobody reads', async () => {
    const upstream = await proxyOf({ onTunnel: (tunnel) => tunnel.send(pattern(8 * MIB)) })
    const tunnel = await connect(outboundTo([upstream]))
    expect(await untilSteady(() => tunnel.readableLength, 'the bytes')).toBe(4 * MIB)
  })

  it('carries bytes past 40 tunnels that nobody reads', async () => {
    const upstream = await proxyOf({
      onTunnel: ({ request, send }) => send(pattern(request.authority === 'target.test:443' ? 6 * MIB : 2 * MIB)),
    })
    const pool = poolTo(upstream, { hedgeAfterMs: 60_000 })
    const stalled = await Promise.all(times(40, () => openIn(pool, { authority: 'stalled.test:1' })))
    await untilSteady(() => stalled.reduce((sum, { readableLength }) => sum + readableLength, 0), 'the bytes', 10_000, 50)
    const bytes = await read(await openIn(pool), 6 * MIB)
    expect(sha256(bytes)).toBe(sha256(pattern(6 * MIB)))
    expect(upstream.connections).toBe(1)
  })

  it('narrows the windows while too much waits unread in all tunnels together', async () => {
    const upstream = await proxyOf({ onTunnel: ({ request, send }) => send(pattern(onlyTarget(request) === 200 ? 6 * MIB : 40 * MIB)) })
    const pool = poolTo(upstream, { silenceMs: 150, hedgeAfterMs: 60_000 }, { maxUnreadBytes: 10 * MIB })
    const unread = (tunnels: readonly Connection[]): number => tunnels.reduce((sum, { readableLength }) => sum + readableLength, 0)
    const stalled = await Promise.all(times(4, () => openIn(pool, { authority: 'stalled.test:1' })))
    expect(await untilSteady(() => unread(stalled), 'the bytes', 10_000, 300)).toBe(16 * MIB)
    const settings = (): Frame[] => upstream.peers[0]?.frames.filter(({ type, flags }) => type === FRAME.SETTINGS && flags === 0) ?? []
    const windows = (): unknown[] => settings().map(({ payload }) => settingOf(payload, 4))
    expect(windows()).toEqual([4 * MIB, 64 * 1_024])
    // Others get little, and those who read get all.
    const later = await Promise.all(times(2, () => openIn(pool, { authority: 'stalled.test:1' })))
    expect(await untilSteady(() => unread(later), 'the bytes', 10_000, 300)).toBe(2 * 64 * 1_024)
    expect(sha256(await read(await openIn(pool), 6 * MIB))).toBe(sha256(pattern(6 * MIB)))
    // Once half of it was read, the windows are wide again.
    for (const tunnel of stalled) tunnel.resume()
    expect(await untilSteady(() => unread(later), 'the bytes', 10_000, 300)).toBe(8 * MIB)
    expect(windows()).toEqual([4 * MIB, 64 * 1_024, 4 * MIB])
  })

  it.each(['down', 'up'] as const)('gives the slowest of 64 tunnels %slink at least 0.8 of the mean', async (direction) => {
    const tunnelBytes = 4 * MIB
    const got = new Map<number, number>()
    const serving: AnsweredTunnel[] = []
    const upstream = await proxyOf({
      onTunnel: (tunnel) => serving.push(tunnel),
      onData: ({ streamId }, bytes) => got.set(streamId, (got.get(streamId) ?? 0) + bytes.length),
    })
    const outbound = outboundTo([upstream])
    const tunnels = await Promise.all(times(64, () => connect(outbound)))
    expect(upstream.connections).toBe(1)
    const total = 64 * tunnelBytes
    const sum = (): number => [...got.values()].reduce((all, bytes) => all + bytes, 0)
    let shares: number[] = []
    const note = (): void => {
      if (shares.length === 0 && sum() >= total / 2) shares = [...got.values()]
    }
    if (direction === 'down') {
      tunnels.forEach((tunnel, index) => tunnel.on('data', (chunk: Buffer) => {
        got.set(index, (got.get(index) ?? 0) + chunk.length)
        note()
      }))
      for (const tunnel of serving) tunnel.send(pattern(tunnelBytes))
    } else {
      for (const tunnel of tunnels) void upload(tunnel, tunnelBytes)
    }
    await until(() => {
      note()
      return shares.length > 0
    }, 'half of all bytes', 10_000)
    expect(shares).toHaveLength(64)
    const mean = shares.reduce((all, bytes) => all + bytes, 0) / shares.length
    expect(Math.min(...shares) / mean).toBeGreaterThanOrEqual(0.8)
  })

  it('carries 8 MiB each way in 12 tunnels at once', async () => {
    const upstream = await proxyOf()
    const outbound = outboundTo([upstream])
    const bytes = pattern(8 * MIB)
    const wanted = sha256(bytes)
    await Promise.all(times(12, async () => {
      const tunnel = await connect(outbound)
      const receiving = read(tunnel, bytes.length)
      tunnel.write(bytes)
      expect(sha256(await receiving)).toBe(wanted)
      tunnel.destroy()
    }))
  })
})

async function upload(tunnel: Connection, bytes: number): Promise<void> {
  tunnel.on('error', () => {})
  for (let at = 0; at < bytes; at += 65_536) {
    if (!tunnel.write(pattern(65_536, at))) await new Promise((resolve) => tunnel.once('drain', resolve))
  }
}
