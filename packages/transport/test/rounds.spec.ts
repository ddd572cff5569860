import { setImmediate as nextTurn } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { Rounds, Share } from '../src/rounds.js'

const KIB = 1 << 10
const QUANTUM = 512 * KIB

/** A direction that notes in which turn it was woken. */
function sharer(): { share: Share, wakes: number } {
  const one = { share: new Share(() => { one.wakes++ }), wakes: 0 }
  return one
}

async function nextTurnAfter(act: () => void): Promise<void> {
  act()
  await turns(1)
}

async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) await nextTurn()
}

describe('Rounds', () => {
  it('parks who has moved its quantum, and wakes it in the next round', async () => {
    const rounds = new Rounds()
    const one = sharer()
    expect(rounds.spend(one.share, QUANTUM - 1)).toBe(true)
    expect(rounds.spend(one.share, 1)).toBe(false)
    expect(one.share.parked).toBe(true)
    expect(one.wakes).toBe(0)
    await turns(2)
    expect(one).toMatchObject({ wakes: 1, share: { parked: false } })
    expect(rounds.spend(one.share, 1)).toBe(true)
  })

  it('wakes who was parked by a small read, in a turn in which nobody moved much', async () => {
    const rounds = new Rounds()
    const one = sharer()
    for (let moved = 0; moved < QUANTUM; moved += 32 * KIB) {
      rounds.spend(one.share, 32 * KIB)
      await turns(1)
    }
    await turns(2)
    expect(one).toMatchObject({ wakes: 1, share: { parked: false } })
  })

  it('keeps the round open as long as another moves much in each turn, and no longer', async () => {
    const rounds = new Rounds()
    const [fast, slow] = [sharer(), sharer()]
    rounds.spend(fast.share, QUANTUM)
    for (let moved = 64 * KIB; moved < QUANTUM; moved += 64 * KIB) {
      expect(rounds.spend(slow.share, 64 * KIB)).toBe(true)
      await turns(1)
      expect(fast.wakes).toBe(0)
    }
    await turns(1)
    expect(fast.wakes).toBe(1)
  })

  it('counts a sink that takes bytes again as movement', async () => {
    const rounds = new Rounds()
    const [fast, slow] = [sharer(), sharer()]
    rounds.spend(fast.share, QUANTUM)
    await nextTurnAfter(() => rounds.ready(slow.share))
    await nextTurnAfter(() => rounds.ready(slow.share))
    expect(fast.wakes).toBe(0)
    await turns(2)
    expect(fast.wakes).toBe(1)
  })

  it('does not let a trickle hold the others up', async () => {
    const rounds = new Rounds()
    const [fast, trickle] = [sharer(), sharer()]
    rounds.spend(fast.share, QUANTUM)
    for (let turn = 0; turn < 2; turn++) {
      rounds.spend(trickle.share, 16 * KIB)
      await turns(1)
    }
    expect(fast.wakes).toBe(1)
  })

  it('ends a round after 32 turns', async () => {
    const rounds = new Rounds()
    const [fast, steady] = [sharer(), sharer()]
    rounds.spend(fast.share, QUANTUM)
    let turn = 0
    for (; turn < 100 && fast.wakes === 0; turn++) await nextTurnAfter(() => rounds.ready(steady.share))
    expect(turn).toBeGreaterThan(28)
    expect(turn).toBeLessThan(36)
  })

  it('gives each of two as much, whatever one has ready at a time', async () => {
    const rounds = new Rounds()
    const [eager, small] = [{ share: new Share(() => {}), bytes: 0 }, { share: new Share(() => {}), bytes: 0 }]
    for (let turn = 0; turn < 400; turn++) {
      while (!eager.share.parked) {
        eager.bytes += 256 * KIB
        rounds.spend(eager.share, 256 * KIB)
      }
      if (!small.share.parked) {
        small.bytes += 96 * KIB
        rounds.spend(small.share, 96 * KIB)
      }
      await turns(1)
    }
    expect(small.bytes / eager.bytes).toBeGreaterThan(0.9)
    expect(small.bytes / eager.bytes).toBeLessThan(1.2)
  })
})
