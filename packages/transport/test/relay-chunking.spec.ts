import { once } from 'node:events'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { pattern, sha256, until, type Peer } from '@sluice/testkit'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { rig, type Kind } from './relay-rig.js'

const UPSTREAMS: Kind[] = ['tcp', 'tls', 'http2', 'pair', 'nested']
const MIB = 1 << 20
const BYTES = [pattern(4 * MIB, 11), pattern(4 * MIB, 77)] as const

/** What one side does, again and again: writes that many bytes, waits that many turns, and holds the other side up meanwhile. */
interface Step {
  readonly bytes: number
  readonly turns: number
  readonly hold: boolean
}

const step = fc.record({
  bytes: fc.oneof(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: 5_000 }), fc.integer({ min: 1, max: 200_000 })),
  turns: fc.integer({ min: 0, max: 2 }),
  hold: fc.boolean(),
})
const steps = fc.array(step, { minLength: 1, maxLength: 40 })

/** Sends all bytes in these steps, over and over, and then the end. */
async function play(peer: Peer, bytes: Buffer, script: readonly Step[]): Promise<void> {
  const { socket } = peer
  for (let at = 0, turn = 0; at < bytes.length; turn += 1) {
    const { bytes: size, turns, hold } = script[turn % script.length] as Step
    socket.write(bytes.subarray(at, at + size))
    at += size
    if (hold) peer.pause()
    for (let wait = 0; wait < turns; wait += 1) await nextTurn()
    if (hold) peer.resume()
    if (socket.writableNeedDrain) await once(socket, 'drain')
  }
  socket.end()
}

async function exchange(kind: Kind, up: Buffer, upSteps: readonly Step[], down: Buffer, downSteps: readonly Step[]): Promise<void> {
  await using session = await rig(kind)
  const { client, target, record, done } = session
  await Promise.all([play(client, up, upSteps), play(target, down, downSteps)])
  await done
  await until(() => client.ended && target.ended, 'both ends', 5_000)
  expect(sha256(target.received)).toBe(sha256(up))
  expect(sha256(client.received)).toBe(sha256(down))
  expect(record).toMatchObject({ uplinkBytes: up.length, downlinkBytes: down.length, outcome: 'closed' })
}

describe.each(UPSTREAMS)('relay() with an upstream over %s', (kind) => {
  it('C153 loses, doubles and reorders nothing of 4 MiB each way, however they are cut', async () => {
    const [up, down] = fc.sample(steps, { seed: 153, numRuns: 2 }) as [Step[], Step[]]
    up.push({ bytes: 100_000, turns: 1, hold: true })
    down.push({ bytes: 70_000, turns: 0, hold: false })
    await exchange(kind, BYTES[0], up, BYTES[1], down)
  })

  it('C153 loses, doubles and reorders nothing in any small exchange', async () => {
    const length = fc.integer({ min: 0, max: 100_000 })
    await fc.assert(fc.asyncProperty(length, steps, length, steps, async (up, upSteps, down, downSteps) => {
      await exchange(kind, BYTES[0].subarray(0, up), upSteps, BYTES[1].subarray(0, down), downSteps)
    }), { seed: 153, numRuns: 5, endOnFailure: true })
  })
})
