import { execFile, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:https'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { connectProxy, connectTo, createCertificates, Peer, startTarget, until } from '@sluice/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const run = promisify(execFile)
const folder = fileURLToPath(new URL('..', import.meta.url))
const tsc = join(dirname(createRequire(import.meta.url).resolve('typescript/package.json')), 'bin', 'tsc')
const certificates = await createCertificates()
const tls = await certificates.issue()
const NAMES = ['local-proxy', 'hook', 'fetch', 'agent', 'reload']
let out = ''

beforeAll(async () => {
  // Below this package, so that its imports are found.
  out = mkdtempSync(join(folder, 'node_modules', '.library-'))
  await run(process.execPath, [tsc, '-p', folder, '--outDir', out])
  writeFileSync(join(out, 'ca.pem'), certificates.ca.certPem)
}, 60_000)

afterAll(() => rmSync(out, { recursive: true, force: true }))

/** The program with other words in place of some, ready to run. */
function program(name: string, words: Readonly<Record<string, string>>): string {
  const path = join(out, `${name}.js`)
  const text = Object.entries(words).reduce((source, [from, to]) => source.replaceAll(from, to), readFileSync(path, 'utf8'))
  const changed = join(out, `${name}-run.js`)
  writeFileSync(changed, text)
  return changed
}

/** A program that runs on. */
function start(path: string): { readonly child: ChildProcess, readonly told: () => string } {
  const child = spawn(process.execPath, [path], { cwd: out })
  let text = ''
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (chunk: string) => { text += chunk })
  return { child, told: () => text }
}

/** An HTTPS server for `localhost`. */
async function secureTarget(): Promise<AsyncDisposable & { readonly port: number }> {
  const server = createServer({ cert: tls.certPem, key: tls.keyPem }, (_request, response) => response.end('hello')).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

describe('the library examples', () => {
  it.each(NAMES)('%s is the one of the README, in at most eight lines', (name) => {
    const source = readFileSync(join(folder, 'src', `${name}.ts`), 'utf8')
    const readme = readFileSync(join(folder, '..', '..', 'README.md'), 'utf8')
    expect(readme).toContain(`\`\`\`ts examples/library/src/${name}.ts${name === 'fetch' ? ' ignore' : ''}\n${source}\`\`\`\n`)
    expect(source.trimEnd().split('\n').length).toBeLessThanOrEqual(8)
  })

  it('local-proxy tells a browser where to go', async () => {
    const { stdout, stderr } = await run(process.execPath, [program('local-proxy', {})], { timeout: 20_000 })
    expect({ stdout, stderr }).toEqual({ stdout: expect.stringMatching(/^chromium --proxy-server=http:\/\/127\.0\.0\.1:\d+\n$/) as string, stderr: '' })
  })

  it.each([['fetch', '200 hello\n'], ['agent', 'hello']])('%s goes through the proxy with its password', async (name, expected) => {
    await using target = await secureTarget()
    await using proxy = await connectProxy({ auth: { user: 'user', pass: 'pass' } })
    const path = program(name, { 'proxy.example:3128': `127.0.0.1:${proxy.port}`, 'example.com/': `localhost:${target.port}/` })
    const { stdout, stderr } = await run(process.execPath, [path], { timeout: 20_000, env: { ...process.env, NODE_EXTRA_CA_CERTS: join(out, 'ca.pem') } })
    expect({ stdout, stderr }).toEqual({ stdout: expected, stderr: '' })
    expect(proxy.requests).toHaveLength(1)
  })

  it('hook refuses advertisements, and shares hosts among upstreams', async () => {
    await using target = await startTarget('banner')
    await using upstream = await connectProxy({ auth: { user: 'user', pass: 'pass' } })
    const path = program('hook', { 'proxy.example:3128': `127.0.0.1:${upstream.port}`, 'proxy2.example:3128': `127.0.0.1:${upstream.port}` })
    // Told where it listens, and kept running.
    const wait = 'console.log("at", proxy.port)\nawait new Promise((resolve) => process.once("SIGTERM", resolve))\n'
    writeFileSync(path, readFileSync(path, 'utf8').replace(/proxy\.on\('session:close'.*\n/, (line) => `${line}${wait}`))
    const { child, told } = start(path)
    try {
      await until(() => /at \d+/.test(told()), told, 10_000)
      const ask = async (authority: string): Promise<Peer> => {
        const client = new Peer(await connectTo(Number(/at (\d+)/.exec(told())?.[1])))
        await client.send(`CONNECT ${authority} HTTP/1.1\r\nHost: a\r\n\r\n`)
        return client
      }
      const refused = await ask('ads.doubleclick.net:443')
      expect(await refused.expectHead()).toMatch(/^HTTP\/1.1 403 /)
      await refused.expect(/no advertisements/)
      const served = await ask(`a.test:${target.port}`)
      expect(await served.expectHead()).toMatch(/^HTTP\/1.1 200 /)
      served.socket.destroy()
      await until(() => told().includes('a.test'), told, 10_000)
      expect(told()).toContain('ads.doubleclick.net failed 0')
    } finally {
      child.kill('SIGKILL')
    }
  })

  it('reload reads its file again on SIGHUP, and counts sessions', async () => {
    const config = { inbounds: [{ protocol: 'http', port: 0 }], outbounds: [{ protocol: 'freedom' }] }
    writeFileSync(join(out, 'config.json'), JSON.stringify(config))
    const path = program('reload', {})
    const source = readFileSync(path, 'utf8')
    writeFileSync(path, source.replace('await new Promise', 'console.log("runs")\nawait new Promise'))
    const { child, told } = start(path)
    try {
      await until(() => told().includes('runs'), told, 10_000)
      writeFileSync(join(out, 'config.json'), '{ "outbounds": 7 }')
      child.kill('SIGHUP')
      await until(() => told().includes('ConfigError'), told, 10_000)
      child.kill('SIGTERM')
      expect(await once(child, 'close')).toEqual([0, null])
      expect(told()).toMatch(/\n0\n$/)
    } finally {
      child.kill('SIGKILL')
    }
  })
})
