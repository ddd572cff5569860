import { defineConfig } from 'vitest/config'

/** `vitest run --coverage` fails where tests reach less than this share of what carries bytes. */
const thresholds = {
  'packages/{outbound-http,transport}/src/**': { lines: 95, branches: 90 },
  'packages/inbound-*/src/**': { lines: 95, branches: 85 },
}

export default defineConfig({
  test: {
    projects: ['packages/*', 'examples/*'],
    isolate: false,
    maxWorkers: '100%',
    coverage: { include: ['packages/*/src/**'], reporter: ['text-summary', 'json-summary'], reportsDirectory: 'coverage', thresholds },
  },
})
