import { spawnSync } from 'node:child_process'
import { readdirSync, statSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { canonicalConfig } from '../src/cli/canonical-config.js'
import { loadConfig } from '../src/cli/load-config.js'
import { runMain } from './run-main.js'

const GOOD = fileURLToPath(new URL('./corpus/good/', import.meta.url))

/** As much of ajv as is used here; it is a dependency of core. */
interface Validator { (value: unknown): boolean, errors?: unknown }
type Ajv = new (options: object) => { compile(schema: object): Validator }

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

  it('takes every good config of the corpus in its present words, and refuses a slip', async () => {
    const { Ajv } = createRequire(new URL('../../core/package.json', import.meta.url))('ajv') as { Ajv: Ajv }
    const schema = JSON.parse((await runMain('schema')).out) as object
    const validate = new Ajv({ allErrors: true, allowUnionTypes: true, strictRequired: false }).compile(schema)
    for (const name of readdirSync(GOOD).filter((file) => statSync(join(GOOD, file)).isFile() && file !== 'environment.json')) {
      const { instance, document } = await loadConfig({ config: [join(GOOD, name)] })
      await instance.stop()
      expect({ name, valid: validate(canonicalConfig(document.config)), errors: validate.errors }).toEqual({ name, valid: true, errors: null })
    }
    expect(validate({ inbounds: [{ protocol: 'http', port: 1, settings: { acounts: [] } }] })).toBe(false)
    expect(validate({ outbounds: [{ protocol: 'http' }] })).toBe(false)
  })

  it('is up to date, and so is the page of all fields', () => {
    const { status, stdout } = spawnSync(process.execPath, [SCRIPT, '--check'], { encoding: 'utf8' })
    expect({ status, stdout }).toEqual({ status: 0, stdout: expect.stringMatching(/fields of a config are described/) as string })
  })
})
