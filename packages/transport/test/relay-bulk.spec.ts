import type { Socket } from 'node:net'
import type { Writable } from 'node:stream'
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises'
import type { Connection, Link } from '@sluice/core'
import { pattern, sha256, until, type Peer } from '@sluice/testkit'
import { afterEach, describe, expect, it } from 'vitest'
import { bulkBuffers, type Borrower } from '../src/buffer-pool.js'
import { rounds, Share } from '../src/rounds.js'
import { expectCut, rig, type Kind, type Rig } from './relay-rig.js'

const UPSTREAMS: Kind[] = ['tcp', 'tls', 'http2']
const MIB = 1 << 20
const UP = pattern(8 * MIB, 11)
const DOWN = pattern(16 * MIB, 77)

function flood({ socket }: Peer, bytes: Buffer): void {
  for (let at = 0; at < bytes.length; at += MIB) socket.write(bytes.subarray(at, at + MIB))
}

/** Reads in fits and starts until the other side has ended. */
async function stall(peer: Peer): Promise<void> {
  for (let round = 0; !peer.ended; round++) {
    if (round % 3 === 0) peer.pause()
    await sleep(1)
    peer.resume()
    await nextTurn()
  }
}

let holding: NodeJS.Immediate | undefined

/** Sees to it that who is parked stays so, for some 30 turns of the event loop at a time, to the end of the test. */
function keepRoundOpen(): void {
  const share = new Share(() => {})
  holding = setImmediate(function again() {
    rounds.ready(share)
    holding = setImmediate(again)
  })
}

/** Resolves in a turn in which the upstream waits for the next round, and for nothing else. */
async function untilParked({ connection, link, record }: Rig): Promise<void> {
  for (;;) {
    await nextTurn()
    if (record.downlinkBytes > MIB && connection.isPaused() && link.writer.writableLength === 0) return
  }
}

interface Figures {
  /** Bytes that came as `data` events: each stands for memory that was allocated for it. */
  dataBytes: number
  writes: number
}

/** Counts what the downlink costs. */
function count({ writer }: Link, connection: Connection): Figures {
  const figures = { dataBytes: 0, writes: 0 }
  connection.on('data', (chunk: Buffer) => { figures.dataBytes += chunk.length })
  const { write } = writer
  writer.write = function counted(this: Writable, ...args: unknown[]) {
    figures.writes++
    return Reflect.apply(write, this, args) as boolean
  }
  return figures
}

/** As on a Node whose sockets cannot read into a buffer of ours. */
function forgetUserBuffers(...sockets: Socket[]): void {
  for (const socket of sockets) Object.assign((socket as unknown as { _handle: object })._handle, { useUserBuffer: undefined })
}

afterEach(() => {
  clearImmediate(holding)
  expect(bulkBuffers.lent, 'buffers on loan').toBe(0)
})

describe.each(UPSTREAMS)('relay() of much over %s', (kind) => {
  it('C153 is exact both ways at a time, with readers that stall', async () => {
    await using session = await rig(kind)
    const { client, target, record, done } = session
    flood(client, UP)
    flood(target, DOWN)
    client.socket.end()
    target.socket.end()
    await Promise.all([stall(client), stall(target)])
    await done
    expect(sha256(target.received)).toBe(sha256(UP))
    expect(sha256(client.received)).toBe(sha256(DOWN))
    expect(record).toMatchObject({ uplinkBytes: UP.length, downlinkBytes: DOWN.length, outcome: 'closed' })
  })

  it('is exact while all buffers are on loan to others', async () => {
    const greedy: Borrower = { giveBackUnlessUsedSince() {} }
    const taken: Buffer[] = []
    for (let buffer = bulkBuffers.take(greedy); buffer !== undefined; buffer = bulkBuffers.take(greedy)) taken.push(buffer)
    try {
      await using session = await rig(kind)
      const { client, target, done } = session
      flood(target, DOWN)
      flood(client, UP)
      target.socket.end()
      client.socket.end()
      await Promise.all([stall(client), stall(target)])
      await done
      expect(sha256(client.received)).toBe(sha256(DOWN))
      expect(sha256(target.received)).toBe(sha256(UP))
    } finally {
      for (const buffer of taken) bulkBuffers.give(greedy, buffer)
    }
  })

  it('gives its buffers back when it is cancelled while both readers are stuck', async () => {
    await using session = await rig(kind)
    const { client, target, connection, link, controller } = session
    client.pause()
    target.pause()
    flood(client, pattern(32 * MIB))
    flood(target, pattern(32 * MIB))
    await until(() => connection.isPaused() && link.reader.isPaused(), 'both directions to be held up')
    controller.abort(new Error('enough'))
    await expect(session.done).rejects.toThrow('enough')
  })
})

describe.each(['tcp', 'tls'] as const)('relay() over %s that waits for the next round', (kind) => {
  it('passes the end on behind all bytes', async () => {
    keepRoundOpen()
    await using session = await rig(kind)
    const { client, target, record, done } = session
    flood(target, DOWN)
    await untilParked(session)
    target.socket.end()
    await client.send('still here')
    await client.fin()
    await done
    await until(() => client.ended, 'the end of the target')
    await target.expect('still here')
    expect(sha256(client.received)).toBe(sha256(DOWN))
    expect(record).toMatchObject({ downlinkBytes: DOWN.length, outcome: 'closed' })
  })

  it('rejects when it is cancelled', async () => {
    keepRoundOpen()
    await using session = await rig(kind)
    flood(session.target, DOWN)
    await untilParked(session)
    session.controller.abort(new Error('enough'))
    await expect(session.done).rejects.toThrow('enough')
    await expectCut(session.client)
  })

  it('aborts the upstream when the client leaves', async () => {
    keepRoundOpen()
    await using session = await rig(kind)
    flood(session.target, DOWN)
    await untilParked(session)
    const socket = session.client.socket as Socket
    socket.resetAndDestroy()
    await expect(session.done).rejects.toMatchObject({ code: 'ABORT', side: 'downstream' })
    await expectCut(session.target)
  })
})

describe('relay()', () => {
  it('reads much into a buffer on loan, and goes on when that was taken back', async () => {
    await using session = await rig('tcp')
    const { client, target } = session
    flood(target, DOWN)
    await until(() => client.receivedBytes === DOWN.length, 'the first bytes', 10_000)
    expect(bulkBuffers.lent).toBe(1)
    await until(() => bulkBuffers.lent === 0, 'the buffer to be given back', 4_000)
    await target.send('pong')
    await until(() => client.receivedBytes === DOWN.length + 4, 'a small message')
    expect(bulkBuffers.lent).toBe(0)
    flood(target, UP)
    await until(() => client.receivedBytes === DOWN.length + 4 + UP.length, 'more bytes', 10_000)
    target.socket.end()
    await client.fin()
    await session.done
    expect(sha256(client.received)).toBe(sha256(Buffer.concat([DOWN, Buffer.from('pong'), UP])))
  })

  it.each([
    ['tcp', 0.05, 20],
    ['tls', 0.05, 32],
    ['http2', 1, 40],
  ] as const)('allocates and writes little for much over %s', async (kind, maxDataShare, maxWritesPerMiB) => {
    let figures: Figures | undefined
    await using session = await rig(kind, { before: (link, connection) => { figures = count(link, connection) } })
    const { client, target } = session
    flood(target, DOWN)
    target.socket.end()
    await until(() => client.ended, 'the end of the target', 10_000)
    await client.fin()
    await session.done
    expect(figures!.dataBytes / DOWN.length).toBeLessThanOrEqual(maxDataShare)
    expect(figures!.writes / (DOWN.length / MIB)).toBeLessThanOrEqual(maxWritesPerMiB)
  })

  it.each(['tcp', 'tls'] as const)('allocates for the first 16 of many small messages over %s, and no more', async (kind) => {
    let figures: Figures | undefined
    await using session = await rig(kind, { before: (link, connection) => { figures = count(link, connection) } })
    const { client, target, done } = session
    const message = pattern(64)
    for (let round = 1; round <= 100; round++) {
      target.socket.write(message)
      await until(() => client.receivedBytes === round * message.length, 'a message')
    }
    await Promise.all([client.fin(), target.fin()])
    await done
    expect(figures).toEqual({ dataBytes: 16 * message.length, writes: 100 })
    expect(client.received.equals(Buffer.concat(Array.from({ length: 100 }, () => message)))).toBe(true)
  })

  it.each(['tcp', 'tls'] as const)('does without buffers of its own over %s where Node has no way to read into them', async (kind) => {
    const before = (link: Link, connection: Connection): void => forgetUserBuffers(link.reader as Socket, connection as Socket)
    await using session = await rig(kind, { before })
    const { client, target } = session
    flood(target, DOWN)
    flood(client, UP)
    target.socket.end()
    client.socket.end()
    await Promise.all([stall(client), stall(target)])
    await session.done
    expect(sha256(client.received)).toBe(sha256(DOWN))
    expect(sha256(target.received)).toBe(sha256(UP))
  })
})
