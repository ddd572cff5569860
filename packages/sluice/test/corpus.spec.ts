import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { formatFault, isConfigError, type Fault } from '@sluice/core'
import { beforeAll, describe, expect, it } from 'vitest'
import { inOrder } from '../src/cli/faults.js'
import { loadConfig, type LoadedConfig } from '../src/cli/load-config.js'
import { carryTraffic } from './corpus-run.js'

const CORPUS = fileURLToPath(new URL('./corpus/', import.meta.url))
const names = (kind: 'good' | 'bad'): string[] => readdirSync(join(CORPUS, kind)).sort()

beforeAll(() => {
  Object.assign(process.env, { CORPUS_PORT: '3128', CORPUS_ADDRESS: 'proxy.test', CORPUS_LISTEN: '127.0.0.1' })
  return () => {
    for (const name of ['CORPUS_PORT', 'CORPUS_ADDRESS', 'CORPUS_LISTEN']) Reflect.deleteProperty(process.env, name)
  }
})

/** Reads a config of the corpus, or all that a folder of it holds, as several `-c` in the order of their names. */
async function load(kind: 'good' | 'bad', name: string): Promise<{ readonly loaded?: LoadedConfig, readonly told: string }> {
  const path = join(CORPUS, kind, name)
  const config = statSync(path).isDirectory() ? readdirSync(path).sort().map((file) => join(path, file)) : [path]
  try {
    const loaded = await loadConfig({ config })
    return { loaded, told: toldOf(loaded.remarks) }
  } catch (error) {
    if (!isConfigError(error)) throw error
    return { told: toldOf(error.faults) }
  }
}

function toldOf(faults: readonly Fault[]): string {
  const lines = inOrder(faults).map((item) => `${item.severity}: ${formatFault(item).replaceAll(join(CORPUS, '/'), '')}\n`)
  return lines.length === 0 ? 'nothing\n' : lines.join('')
}

describe('corpus of good configs', () => {
  it.each(names('good'))('%s runs and carries traffic', async (name) => {
    const { loaded, told } = await load('good', name)
    await expect(told).toMatchFileSnapshot(`./corpus/expected/good/${name}.txt`)
    expect(told).not.toContain('hunter2')
    if (loaded === undefined) throw new Error(`it cannot be used:\n${told}`)
    await loaded.instance.stop()
    const { banners, requests } = await carryTraffic(loaded.document.config)
    expect(banners.length).toBeGreaterThan(0)
    for (const banner of banners) expect(banner).toMatch(/^SSH-/)
    expect(requests > 0 || ['no-settings.json', 'freedom-use-ip.json', 'private-addresses.json'].includes(name)).toBe(true)
  })
})

describe('corpus of bad configs', () => {
  it.each(names('bad'))('%s is refused with all of its faults and without its secrets', async (name) => {
    const { loaded, told } = await load('bad', name)
    await expect(told).toMatchFileSnapshot(`./corpus/expected/bad/${name}.txt`)
    expect(told).not.toContain('hunter2')
    expect(loaded).toBeUndefined()
    expect(told).toMatch(/^error: /m)
  })
})
