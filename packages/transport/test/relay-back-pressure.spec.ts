import { setTimeout as sleep } from 'node:timers/promises'
import { pattern, sha256, until, untilSteady, type Peer } from '@sluice/testkit'
import { describe, expect, it } from 'vitest'
import { rig, type Kind } from './relay-rig.js'

const UPSTREAMS: Kind[] = ['tcp', 'tls', 'http2', 'pair']
const MIB = 1 << 20
/** More than all socket buffers on the way hold. */
const FLOOD = pattern(48 * MIB)
const FLOOD_SHA256 = sha256(FLOOD)

/** Sends without end until the other side takes no more. */
function flood(peer: Peer, bytes: Buffer): void {
  for (let at = 0; at < bytes.length; at += MIB) peer.socket.write(bytes.subarray(at, at + MIB))
}

describe.each(UPSTREAMS)('relay() with an upstream over %s', (kind) => {
  it('C149 holds the target up while the client does not read, and loses nothing', async () => {
    await using session = await rig(kind)
    const { client, target, link, connection, record, done } = session
    client.pause()
    flood(target, FLOOD)
    await until(() => connection.isPaused(), 'the target to be held up')
    await untilSteady(() => record.downlinkBytes, 'the downlink')
    expect(record.downlinkBytes).toBeLessThan(FLOOD.length)
    expect(connection.isPaused()).toBe(true)
    expect(link.writer.writableLength).toBeLessThanOrEqual(MIB)
    expect(connection.readableLength).toBeLessThanOrEqual(2 * MIB)
    client.resume()
    target.socket.end()
    await until(() => client.ended, 'the end of the target', 10_000)
    await client.fin()
    await done
    expect(sha256(client.received)).toBe(FLOOD_SHA256)
  })

  it('C151 holds the client up while the upstream does not read, and loses nothing', async () => {
    await using session = await rig(kind)
    const { client, target, link, connection, record, done } = session
    target.pause()
    flood(client, FLOOD)
    await until(() => link.reader.isPaused(), 'the client to be held up')
    await untilSteady(() => record.uplinkBytes, 'the uplink')
    expect(record.uplinkBytes).toBeLessThan(FLOOD.length)
    expect(link.reader.isPaused()).toBe(true)
    expect(connection.writableLength).toBeLessThanOrEqual(MIB)
    expect(link.reader.readableLength).toBeLessThanOrEqual(MIB)
    target.resume()
    client.socket.end()
    await until(() => target.ended, 'the end of the client', 10_000)
    await target.fin()
    await done
    expect(sha256(target.received)).toBe(FLOOD_SHA256)
  })

  it('lets one direction run while the other is held up', async () => {
    await using session = await rig(kind)
    const { client, target, connection } = session
    client.pause()
    flood(target, FLOOD)
    await until(() => connection.isPaused(), 'the target to be held up')
    await client.send(pattern(MIB))
    await until(() => target.receivedBytes === MIB, 'the uplink')
    session.controller.abort(new Error('enough'))
  })
})

describe('relay()', () => {
  it('goes on through many starts and stops of a slow reader', async () => {
    await using session = await rig('tcp')
    const { client, target, done } = session
    const bytes = pattern(16 * MIB)
    flood(target, bytes)
    target.socket.end()
    for (let round = 0; round < 20; round += 1) {
      client.pause()
      await sleep(2)
      client.resume()
      await sleep(1)
    }
    await until(() => client.ended, 'the end of the target', 10_000)
    await client.fin()
    await done
    expect(sha256(client.received)).toBe(sha256(bytes))
  })
})
