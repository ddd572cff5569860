import { readFile } from 'node:fs/promises'
import { connectTo, Peer, startTarget } from '@sluice/testkit'
import { describe, expect, it } from 'vitest'
import { BIN, configFile, startNode } from '../command.js'

const root = new URL('../../../../', import.meta.url)

describe('T16 the lockfile', () => {
  it('has an integrity for every package, and takes none from anywhere but the registry', async () => {
    const text = await readFile(new URL('pnpm-lock.yaml', root), 'utf8')
    const resolutions = [...text.matchAll(/^ {4}resolution: \{(.*)\}$/gm)].map(([, resolution = '']) => resolution)
    expect(resolutions.length).toBeGreaterThan(100)
    expect(resolutions.filter((resolution) => !/^integrity: sha512-[\w+/]+=*$/.test(resolution))).toEqual([])
  })

  it('lets no package run a script when it is installed', async () => {
    const workspace = await readFile(new URL('pnpm-workspace.yaml', root), 'utf8')
    // What pnpm runs must be allowed by name.
    expect(workspace).not.toMatch(/onlyBuiltDependencies|dangerouslyAllowAllBuilds|neverBuiltDependencies|allowBuilds/)
  })
})

describe('T17 the command', () => {
  it.each([['--disable-proto=delete'], ['--disable-proto=throw']])('carries sessions and stops in order under %s', async (flag) => {
    await using target = await startTarget('echo')
    await using config = await configFile({ inbounds: [{ protocol: 'mixed', port: 0 }], outbounds: [{ protocol: 'freedom' }] })
    await using command = startNode(flag, BIN, 'run', '-c', config.path)
    const client = new Peer(await connectTo(await command.port()))
    await client.send(`CONNECT 127.0.0.1:${target.port} HTTP/1.1\r\nHost: x\r\n\r\n`)
    await client.expectHead()
    await client.send('hello')
    await client.expect('hello')
    await client.fin()
    await client.expectEnd()
    command.child.kill('SIGTERM')
    expect(await command.exit).toBe(0)
  })
})
