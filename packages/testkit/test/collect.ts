import type { TestRunner } from '../src/index.js'

interface Collected {
  readonly title: string
  readonly run: () => Promise<void>
}

/** Defines a suite without running it. */
export function collect(define: (runner: TestRunner) => void): Collected[] {
  const tests: Collected[] = []
  define({ describe: (_, body) => { body() }, it: (title, run) => { tests.push({ title, run }) } })
  return tests
}
