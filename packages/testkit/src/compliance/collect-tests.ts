import type { TestRunner } from './suite.js'

/** A test that a suite defined, and that nobody has run yet. */
export interface CollectedTest {
  readonly title: string
  /** Rejects if the test fails. Tests that look for leaks must run alone. */
  readonly run: () => Promise<void>
}

/**
 * Defines a suite without a test runner, so that one can see which of its tests fail on what: see {@link brokenOutbound}.
 *
 * @example
 * ```ts
 * import { collectTests, dialerCompliance, type DialerSetup } from '@sluice/testkit'
 *
 * declare const setup: () => Promise<DialerSetup>
 * const tests = collectTests((runner) => dialerCompliance({ ...runner, name: 'mine', setup }))
 * console.log(tests.map(({ title }) => title))
 * ```
 */
export function collectTests(define: (runner: TestRunner) => void): CollectedTest[] {
  const tests: CollectedTest[] = []
  define({ describe: (_, body) => { body() }, it: (title, run) => { tests.push({ title, run }) } })
  return tests
}
