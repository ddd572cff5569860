import { readFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'

const root = new URL('../../../../', import.meta.url)
const page = await readFile(new URL('SECURITY.md', root), 'utf8')
const rows = [...page.matchAll(/^\| (T\d+) \|.*\| ([^|]+) \|$/gm)].map(([, id = '', files = '']) => [id, [...files.matchAll(/`([^`]+)`/g)]
  .map(([, path = '']) => path)] as const)

describe('SECURITY.md', () => {
  it('has a row for each demand', () => {
    const ids = rows.map(([id]) => id)
    expect(ids).toEqual(Array.from({ length: 18 }, (_, index) => `T${index + 1}`))
  })

  it.each(rows)('names files that have a test of %s', async (id, paths) => {
    expect(paths.length).toBeGreaterThan(0)
    for (const path of paths) {
      const text = await readFile(new URL(path, root), 'utf8')
      expect(text, path).toMatch(new RegExp(`(?:it|describe|\\))\\(?(?:\\.each\\([^]*?\\))?\\(?['"\`](?:[A-Z]\\d+ )*${id} `))
    }
  })
})
