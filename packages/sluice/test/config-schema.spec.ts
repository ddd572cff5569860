import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { runMain } from './run-main.js'

const SCRIPT = fileURLToPath(new URL('../../../scripts/config-page.mjs', import.meta.url))

describe('sluice schema', () => {
  it('prints a schema that names every protocol and section, and no secret of its own', async () => {
    const { code, out } = await runMain('schema')
    expect(code).toBe(0)
    const schema = JSON.parse(out) as { properties: Record<string, unknown>, definitions: Record<string, unknown> }
    expect(schema).toMatchObject({
      $schema: 'http://json-schema.org/draft-07/schema#',
      properties: {
        inbounds: { items: { properties: { protocol: { enum: expect.arrayContaining(['http', 'mixed', 'socks']) as string[] } } } },
        outbounds: { items: { properties: { protocol: { enum: expect.arrayContaining(['blackhole', 'freedom', 'http']) as string[] } } } },
      },
    })
    expect(Object.keys(schema.properties)).toEqual(expect.arrayContaining(['log', 'policy', 'stats', 'routing']))
    expect(Object.keys(schema.definitions)).toContain('outbound.http')
  })

  it('is up to date, and so is the page of all fields', () => {
    const { status, stdout } = spawnSync(process.execPath, [SCRIPT, '--check'], { encoding: 'utf8' })
    expect({ status, stdout }).toEqual({ status: 0, stdout: expect.stringMatching(/fields of a config are described/) as string })
  })
})
