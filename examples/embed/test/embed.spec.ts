import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { scriptedUpstream } from '@sluice/testkit'
import { describe, expect, it } from 'vitest'

const run = promisify(execFile)
const folder = fileURLToPath(new URL('..', import.meta.url))
const source = readFileSync(join(folder, 'src', 'embed.ts'), 'utf8')
const tsc = join(dirname(createRequire(import.meta.url).resolve('typescript/package.json')), 'bin', 'tsc')

describe('the library example', () => {
  it('is the one of the README', () => {
    const readme = readFileSync(join(folder, '..', '..', 'README.md'), 'utf8')
    expect(readme).toContain(`\`\`\`ts\n${source}\`\`\`\n`)
  })

  it('goes through the proxy, prints what came, and tells how the session ended', async () => {
    await using proxy = await scriptedUpstream(async (peer) => {
      expect(await peer.expectHead()).toMatch(/^CONNECT example\.com:80 HTTP\/1\.1\r\n/)
      await peer.send('HTTP/1.1 200 OK\r\n\r\n')
      expect(await peer.expectHead()).toMatch(/^GET \/ HTTP\/1\.1\r\n/)
      await peer.send('HTTP/1.1 204 No Content\r\n\r\n')
      await peer.fin()
    })
    // Below this package, so that its imports are found.
    const out = mkdtempSync(join(folder, 'node_modules', '.embed-'))
    try {
      await run(process.execPath, [tsc, '-p', folder, '--outDir', out])
      const program = join(out, 'embed.js')
      writeFileSync(program, readFileSync(program, 'utf8').replace('3128', String(proxy.port)))
      const { stdout, stderr } = await run(process.execPath, [program], { timeout: 10_000 })
      expect({ stdout, stderr }).toEqual({ stdout: 'HTTP/1.1 204 No Content\r\n\r\nexample.com closed 27\n', stderr: '' })
    } finally {
      rmSync(out, { recursive: true, force: true })
    }
  })
})
