import { defineConfig } from 'vitest/config'

/** One config for every package: sources are run as they are, so tests need no build. */
export default defineConfig({
  resolve: { conditions: ['@sluice/source'] },
  ssr: { resolve: { conditions: ['@sluice/source', 'module', 'node', 'development|production'] } },
  oxc: { decorator: { legacy: true } },
  test: { include: ['test/**/*.spec.ts'], testTimeout: 15_000, hookTimeout: 15_000, dangerouslyIgnoreUnhandledErrors: false },
})
