import { setTimeout as sleep } from 'node:timers/promises'
import { pattern, until } from '@sluice/testkit'
import { describe, expect, it } from 'vitest'
import { expectCut, rig, type Kind } from './relay-rig.js'

const UPSTREAMS: Kind[] = ['tcp', 'tls', 'http2', 'pair', 'nested']
const LIMIT_MS = 60
/** More than all socket buffers on the way hold. */
const FLOOD = pattern(48 << 20)

async function durationOf(promise: Promise<unknown>): Promise<number> {
  const start = performance.now()
  await promise
  return performance.now() - start
}

/** The time measured starts a little after the limit does, and a busy machine adds to its end. idle-limit.spec.ts has the precision. */
function expectAbout(ms: number, wantedMs: number): void {
  expect(ms).toBeGreaterThan(wantedMs * 0.8)
  expect(ms).toBeLessThan(wantedMs + 1_000)
}

describe.each(UPSTREAMS)('relay() with an upstream over %s', (kind) => {
  it('C145 ends as idle when nothing moves for connIdle, and ends both sides in order', async () => {
    await using session = await rig(kind, { connIdleMs: LIMIT_MS })
    const { client, target, record, done } = session
    await client.send('something')
    await target.expect('something')
    expectAbout(await durationOf(done), LIMIT_MS)
    await client.expectEnd()
    await target.expectEnd()
    expect(record).toMatchObject({ outcome: 'idle', uplinkBytes: 9, downlinkBytes: 0 })
  })

  it('C144 ends after uplinkOnly when the target has ended and the client is silent', async () => {
    await using session = await rig(kind, { uplinkOnlyMs: LIMIT_MS })
    const { client, target, record, done } = session
    await target.fin()
    await client.expectEnd()
    expectAbout(await durationOf(done), LIMIT_MS)
    await target.expectEnd()
    expect(record.outcome).toBe('closed')
  })

  it('C144 ends at once with uplinkOnly 0, and flushes first', async () => {
    await using session = await rig(kind, { uplinkOnlyMs: 0 })
    const { client, target, record, done } = session
    await target.send(pattern(1 << 20))
    await target.fin()
    await done
    await until(() => client.ended, 'the end of the target')
    await target.expectEnd()
    expect(client.received.equals(pattern(1 << 20))).toBe(true)
    expect(record.outcome).toBe('closed')
  })

  it('ends after downlinkOnly when the client has ended and the target is silent', async () => {
    await using session = await rig(kind, { downlinkOnlyMs: LIMIT_MS })
    const { client, target, record, done } = session
    await client.fin()
    await target.expectEnd()
    expectAbout(await durationOf(done), LIMIT_MS)
    await client.expectEnd()
    expect(record.outcome).toBe('closed')
  })

  it('ends at once with downlinkOnly 0, and flushes first', async () => {
    await using session = await rig(kind, { downlinkOnlyMs: 0 })
    const { client, target, record, done } = session
    await client.send(pattern(1 << 20))
    await client.fin()
    await done
    await client.expectEnd()
    await until(() => target.receivedBytes === 1 << 20, 'the bytes of the client')
    expect(target.received.equals(pattern(1 << 20))).toBe(true)
    expect(record.outcome).toBe('closed')
  })

  it('with halfClose hold ends after downlinkOnly, and passes the end on then', async () => {
    await using session = await rig(kind, { halfClose: 'hold', downlinkOnlyMs: LIMIT_MS })
    const { client, target, record, done } = session
    await client.fin()
    expectAbout(await durationOf(done), LIMIT_MS)
    await target.expectEnd()
    await client.expectEnd()
    expect(record.outcome).toBe('closed')
  })
})

describe('relay()', () => {
  it('with connIdle 0 has no idle limit and no timer', async () => {
    const before = process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length
    await using session = await rig('tcp', { connIdleMs: 0 })
    await session.client.send('x')
    await session.target.expect('x')
    expect(process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout')).toHaveLength(before)
    await Promise.all([session.client.fin(), session.target.fin()])
  })

  it('idle with bytes that nobody takes aborts both sides, for it is no end in order', async () => {
    await using session = await rig('tcp', { connIdleMs: LIMIT_MS })
    const { client, target, record, done } = session
    client.pause()
    target.socket.write(FLOOD)
    await done
    expect(record.outcome).toBe('idle')
    await until(() => target.error !== undefined, 'the target to be cut')
    client.resume()
    await expectCut(client)
    expect(client.receivedBytes).toBeLessThan(FLOOD.length)
  })

  it('gives a slow client time to take what the target left behind, longer than uplinkOnly', async () => {
    await using session = await rig('tcp', { uplinkOnlyMs: 50 })
    const { client, target, record, done } = session
    client.pause()
    await target.send(pattern(2 << 20))
    await target.fin()
    await sleep(150)
    client.resume()
    await done
    await until(() => client.ended, 'the end of the target')
    expect(client.received.equals(pattern(2 << 20))).toBe(true)
    expect(record.outcome).toBe('closed')
  })

  it('lets a half that the other side holds up wait for ever with connIdle 0', async () => {
    await using session = await rig('tcp', { connIdleMs: 0, uplinkOnlyMs: 250 })
    const { client, target, done } = session
    target.pause()
    client.socket.end(FLOOD)
    await target.fin()
    await until(() => session.connection.writableNeedDrain, 'the uplink to be held up')
    await sleep(700)
    target.resume()
    await done
    await until(() => target.ended, 'the end of the client')
    expect(target.receivedBytes).toBe(FLOOD.length)
  })

  it('gives up after connIdle on a peer that never takes the rest', async () => {
    await using session = await rig('tcp', { connIdleMs: LIMIT_MS, uplinkOnlyMs: 20, downlinkOnlyMs: 20 })
    const { client, target, record, done } = session
    target.pause()
    client.socket.end(FLOOD)
    await target.fin()
    await done
    expect(record.outcome).toBe('idle')
    expect(record.uplinkBytes).toBeLessThan(FLOOD.length)
  })
})
