import { readFileSync } from 'node:fs'
import type { Registry } from 'prom-client'
import { describe, expect, it } from 'vitest'
import { ControlHub, processMetrics } from '../src/index.js'

const PAGE = readFileSync(new URL('../../../docs/metrics.md', import.meta.url), 'utf8')

/** The rows of the page's tables: name, type, labels, meaning. */
const rows = PAGE.split('\n').filter((line) => /^\| `(sluice|process|nodejs)_/.test(line))

interface Described {
  readonly name: string
  readonly type: string
  readonly labelNames: readonly string[]
  readonly help: string
}

function rowsOf(registry: Registry): string[] {
  return (registry.getMetricsAsArray() as unknown as Described[]).map(({ name, type, labelNames, help }) =>
    `| \`${name}\` | ${type} | ${labelNames.map((label) => `\`${label}\``).join(', ')} | ${help.replace(/\.$/, '')} |`)
}

describe('docs/metrics.md', () => {
  it('has every metric of sessions and servers with its type, labels and meaning, and no other', () => {
    expect(rows.filter((row) => row.startsWith('| `sluice_')).sort()).toEqual(rowsOf(new ControlHub().registry).sort())
  })

  it('has every metric of the process', () => {
    expect(rows).toEqual(expect.arrayContaining(rowsOf(processMetrics())))
  })
})
