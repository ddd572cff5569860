import { Accounts } from '@sluice/core'
import { describe, expect, it } from 'vitest'

const LIMIT = 4.5

describe('Accounts of an inbound', () => {
  it('T2 verify() takes as long for an unknown user as for a wrong password', () => {
    const accounts = new Accounts(Array.from({ length: 50 }, (_, index) => ({ user: `user${index}`, pass: `pass${index}` })))
    // Where other processes take the processor at one kind's turns, a round fails by chance. What is slower is so in each round.
    const rounds: number[] = []
    do {
      rounds.push(difference(accounts))
    } while (rounds.length < 5 && (rounds.at(-1) ?? 0) >= LIMIT)
    expect(Math.min(...rounds)).toBeLessThan(LIMIT)
  })
})

/** How sure it is that the two take different times: the absolute of Welch's t. */
function difference(accounts: Accounts): number {
  const samples: [number[], number[]] = [[], []]
  for (let count = 0; count < 60_000; count++) {
    const kind = Math.random() < 0.5 ? 0 : 1
    const startedAt = process.hrtime.bigint()
    accounts.verify(kind === 0 ? 'user7' : 'userX', 'wrong')
    // The first calls run before the code is compiled.
    if (count >= 10_000) samples[kind].push(Number(process.hrtime.bigint() - startedAt))
  }
  return Math.abs(welch(samples[0], samples[1]))
}

/** Welch's t of two samples, without the slowest hundredth: the collector and other processes are there. */
function welch(a: number[], b: number[]): number {
  const limit = [...a, ...b].sort((x, y) => x - y)[Math.floor((a.length + b.length) * 0.99)] ?? 0
  const [first, second] = [a, b].map((values) => {
    const kept = values.filter((value) => value <= limit)
    const mean = kept.reduce((sum, value) => sum + value, 0) / kept.length
    const variance = kept.reduce((sum, value) => sum + (value - mean) ** 2, 0) / kept.length
    return { mean, error: variance / kept.length }
  }) as [{ mean: number, error: number }, { mean: number, error: number }]
  return (first.mean - second.mean) / Math.sqrt(first.error + second.error)
}
