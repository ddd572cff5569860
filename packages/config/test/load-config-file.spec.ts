import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { formatFault, isConfigError } from '@sluice/core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { loadConfigFile } from '../src/index.js'

let folder = ''

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-config-'))
})

afterAll(() => rm(folder, { recursive: true }))

async function write(name: string, content: string | Buffer): Promise<string> {
  const file = join(folder, name)
  await writeFile(file, content)
  return file
}

async function refusal(file: string): Promise<string[]> {
  const error: unknown = await loadConfigFile(file).catch((reason: unknown) => reason)
  return isConfigError(error) ? error.faults.map(formatFault) : [`not refused with faults: ${String(error)}`]
}

describe('loadConfigFile()', () => {
  it('reads a file and remembers its name', async () => {
    const file = await write('good.json', '\uFEFF{ "log": { "level": "größe" } } # end\n')
    const document = await loadConfigFile(file)
    expect(document.config).toEqual({ log: { level: 'größe' } })
    expect(document.file).toBe(file)
  })

  it('names the file in the faults of its syntax', async () => {
    const file = await write('bad.json', '{\n  "a": 1,\n  b: 2\n}')
    expect(await refusal(file)).toEqual([`${file}:3:3: unknown word (names and texts stand in double quotes)`])
  })

  it('says which file cannot be read, and why', async () => {
    const missing = join(folder, 'missing.json')
    expect(await refusal(missing)).toEqual([`${missing}: cannot be read: there is no such file`])
    expect(await refusal(folder)).toEqual([`${folder}: cannot be read: it is a directory`])
    const below = join(await write('plain', ''), 'x')
    expect(await refusal(below)).toEqual([expect.stringContaining(`${below}: cannot be read: ENOTDIR`)])
  })

  it('refuses text in another encoding than UTF-8', async () => {
    const file = await write('utf16.json', Buffer.from('\uFEFF{}', 'utf16le'))
    expect(await refusal(file)).toEqual([`${file}: cannot be read: it is not UTF-8 text`])
  })
})
