import { defineConfig } from 'vitest/config'

/**
 * One config for every package: sources are run as they are, so tests need no build. A shared CI machine may stall any test for
 * seconds, so there a failure must be one three times over; at a desk the first one counts.
 *
 * The spec files of a package share their modules: importing them anew for each took a third of the time of all tests.
 */
export default defineConfig({
  resolve: { conditions: ['@sluice/source'] },
  ssr: { resolve: { conditions: ['@sluice/source', 'module', 'node', 'development|production'] } },
  oxc: { decorator: { legacy: true } },
  test: {
    include: ['test/**/*.spec.ts'],
    testTimeout: 15_000,
    hookTimeout: 15_000,
    isolate: false,
    maxWorkers: '100%',
    retry: process.env['CI'] === undefined ? 0 : 2,
  },
})
