import { defineConfig } from 'vitest/config'

const CRITICAL = ['outbound-http', 'transport', 'inbound-socks', 'inbound-http', 'inbound-mixed']

/** `vitest run --coverage` fails where tests reach less than this share of what carries bytes. */
const thresholds = Object.fromEntries(CRITICAL.map((name) => [`packages/${name}/src/**`, { lines: 95, branches: 90 }]))

export default defineConfig({
  test: {
    projects: ['packages/*', 'examples/*'],
    isolate: false,
    maxWorkers: '100%',
    coverage: { include: ['packages/*/src/**'], reporter: ['text-summary', 'json-summary'], reportsDirectory: 'coverage', thresholds },
  },
})
