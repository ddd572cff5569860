import { leakCounter } from '../leak-counter.js'

/** The functions of a test runner that a suite is defined with: those of vitest, node:test, mocha or jest fit. */
export interface TestRunner {
  readonly describe: (name: string, body: () => void) => unknown
  readonly it: (title: string, body: () => Promise<void>) => unknown
}

/** One thing that an implementation must do. */
export interface Check<Bench> {
  readonly title: string
  /** After the bench is closed there must be no more sockets, servers and timers than before it was opened. */
  readonly leavesNothing?: boolean
  readonly run: (bench: Bench) => Promise<void>
}

/** What a check works with; made anew for each one. */
export interface Bench {
  /** How long anything may take that should happen at once. */
  readonly limitMs: number
  /** Ends in order what the check has left running. */
  close(): Promise<void>
  /** Destroys what an implementation has left behind, so that the next check does not suffer from it. */
  cleanUp(): void
}

/** Makes a test of each check. */
export function defineSuite<B extends Bench, C extends Check<B>>(
  { describe, it }: TestRunner, name: string, checks: readonly C[], open: (check: C) => Promise<B>,
): void {
  describe(name, () => {
    for (const check of checks) {
      it(check.title, async () => {
        const counter = leakCounter()
        const bench = await open(check)
        // What goes wrong first is what is told: a check that fails seldom leaves a bench that closes in order.
        const faults: unknown[] = []
        const note = (fault: unknown): void => { faults.push(fault) }
        await check.run(bench).catch(note)
        await bench.close().catch(note)
        if (check.leavesNothing === true && faults.length === 0) await counter.expectNoLeaks(bench.limitMs).catch(note)
        bench.cleanUp()
        if (faults.length > 0) throw faults[0]
      })
    }
  })
}
