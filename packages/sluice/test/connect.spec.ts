import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { PassThrough } from 'node:stream'
import { text } from 'node:stream/consumers'
import { closedPort, connectProxy, connectTo, lateReply, pattern, sha256, startTarget, until } from '@sluice/testkit'
import { describe, expect, it } from 'vitest'
import type { ClientOptions } from '../src/cli/client-config.js'
import { connectStdio } from '../src/cli/connect-stdio.js'
import { configFile, startCommand } from './command.js'
import { runMain } from './run-main.js'

const BIN = fileURLToPath(new URL('../bin/sluice.js', import.meta.url))

interface Ended {
  readonly code: number | string
  readonly out: Buffer
  readonly err: string
}

/** Runs a program to its end, with that input. */
async function run(file: string, args: readonly string[], input: Buffer | string = '', env: NodeJS.ProcessEnv = {}): Promise<Ended> {
  const child = spawn(file, args, { env: { ...process.env, ...env } })
  const out: Buffer[] = []
  child.stdout.on('data', (chunk: Buffer) => out.push(chunk))
  child.stdin.on('error', () => {}).end(input)
  const err = text(child.stderr)
  const [code, signal] = await once(child, 'close') as [number | null, string | null]
  return { code: code ?? signal ?? '', out: Buffer.concat(out), err: await err }
}

const connect = (args: readonly string[], input?: Buffer | string, env?: NodeJS.ProcessEnv): Promise<Ended> =>
  run(process.execPath, [BIN, 'connect', ...args], input, env)

describe('sluice connect', () => {
  it('passes the end of its input on, delivers the late reply, and exits with 0', async () => {
    await using target = await startTarget('late-reply', { lateMs: 50 })
    await using proxy = await connectProxy({ auth: { user: 'me', pass: 'se@cret' } })
    const bytes = pattern(300_000)
    const { code, out, err } = await connect(
      ['-F', `http://127.0.0.1:${proxy.port}`, '127.0.0.1', String(target.port)], bytes, { SLUICE_AUTH: 'me:se@cret' })
    expect({ code, out: out.toString(), err }).toEqual({ code: 0, out: lateReply(bytes.length, sha256(bytes)), err: '' })
    expect(proxy.requests).toHaveLength(1)
  })

  it('ends when the target ends, though its own input stays open', async () => {
    await using target = await startTarget('source', { bytes: 200_000 })
    const child = spawn(process.execPath, [BIN, 'connect', '127.0.0.1', String(target.port)], { stdio: ['pipe', 'pipe', 'inherit'] })
    const chunks: Buffer[] = []
    child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk))
    expect(await once(child, 'close')).toEqual([0, null])
    expect(sha256(Buffer.concat(chunks))).toBe(sha256(pattern(200_000)))
  })

  it('says why there is no tunnel, and exits with 1', async () => {
    await using proxy = await connectProxy({ behaviour: 'refuse', status: 403 })
    const refused = await connect(['-F', `http://127.0.0.1:${proxy.port}`, 'a.test', '22'])
    expect(refused).toEqual({ code: 1, out: Buffer.alloc(0), err: expect.stringMatching(/^sluice: .*403/) as string })
  })

  it.each([[['a.test'], /port/], [['a.test', '0'], /1 to 65535/], [['a.test', 'x'], /1 to 65535/]])('exits with 2 for %j', async (args, message) => {
    const { code, err } = await runMain('connect', ...args)
    expect(code).toBe(2)
    expect(err).toMatch(message)
  })

  it('is a ProxyCommand of ssh', async () => {
    await using target = await startTarget('banner')
    await using proxy = await connectProxy()
    const command = `${process.execPath} ${BIN} connect -F http://127.0.0.1:${proxy.port} %h %p`
    const options = ['-v', '-F', 'none', '-o', `ProxyCommand=${command}`, '-o', 'BatchMode=yes', '-o', 'ConnectTimeout=10']
    const { err } = await run('ssh', [...options, '-p', String(target.port), '127.0.0.1', 'true'])
    expect(err).toContain('remote software version test')
    expect(proxy.requests).toHaveLength(1)
  })

  it('carries a clone of git', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'sluice-git-'))
    const port = await closedPort()
    const git = (...args: string[]): Promise<Ended> => run('git', args)
    await git('init', '-q', '-b', 'main', join(folder, 'origin'))
    await git('-C', join(folder, 'origin'), '-c', 'user.name=a', '-c', 'user.email=a@b', 'commit', '-q', '--allow-empty', '-m', 'through a proxy')
    const daemon = spawn('git', ['daemon', '--reuseaddr', '--export-all', '--listen=127.0.0.1', `--port=${port}`, `--base-path=${folder}`], { detached: true })
    try {
      await using proxy = await connectProxy()
      let isUp = false
      await until(() => {
        if (!isUp) void connectTo(port).then((socket) => { isUp = true; socket.destroy() }, () => {})
        return isUp
      }, 'git daemon', 10_000)
      await using script = await configFile(`#!/bin/sh\nexec ${process.execPath} ${BIN} connect -F http://127.0.0.1:${proxy.port} "$@"\n`)
      await run('chmod', ['+x', script.path])
      const clone = await git('-c', `core.gitProxy=${script.path}`, 'clone', '-q', `git://127.0.0.1:${port}/origin`, join(folder, 'clone'))
      expect(clone).toMatchObject({ code: 0, err: '' })
      expect((await git('-C', join(folder, 'clone'), 'log', '--format=%s')).out.toString()).toBe('through a proxy\n')
      expect(proxy.requests).toHaveLength(1)
    } finally {
      process.kill(-(daemon.pid ?? 0), 'SIGKILL')
      await rm(folder, { recursive: true })
    }
  })
})

describe('connectStdio()', () => {
  /** What comes from a target that speaks first. */
  async function bannerOf(port: number, options: ClientOptions): Promise<string> {
    const output = new PassThrough()
    await connectStdio({ host: '127.0.0.1', port }, options, { input: new PassThrough().end(), output })
    return text(output.end())
  }

  it('rejects when the tunnel is cut', async () => {
    await using target = await startTarget('reset')
    const stdio = { input: new PassThrough().end('x'), output: new PassThrough() }
    await expect(connectStdio({ host: '127.0.0.1', port: target.port }, {}, stdio)).rejects.toMatchObject({ code: 'ABORT' })
  })

  it('takes the upstream from the environment, or from a config with its rules', async () => {
    await using target = await startTarget('banner')
    await using proxy = await connectProxy()
    const server = { address: '127.0.0.1', port: proxy.port }
    await using config = await configFile({
      inbounds: [{ protocol: 'socks', port: 1 }],
      outbounds: [{ protocol: 'blackhole' }, { tag: 'p', protocol: 'http', settings: { servers: [server] } }],
      routing: { rules: [{ type: 'field', ip: ['127.0.0.1'], outboundTag: 'p' }] },
    })
    const { HTTPS_PROXY, NO_PROXY } = process.env
    Object.assign(process.env, { HTTPS_PROXY: `127.0.0.1:${proxy.port}`, NO_PROXY: '' })
    expect(await bannerOf(target.port, { env: true })).toContain('SSH-2.0-test')
    for (const [name, value] of Object.entries({ HTTPS_PROXY, NO_PROXY })) {
      if (value === undefined) delete process.env[name]
      else process.env[name] = value
    }
    expect(proxy.requests).toHaveLength(1)
    expect(await bannerOf(target.port, { config: [config.path] })).toContain('SSH-2.0-test')
    expect(proxy.requests).toHaveLength(2)
    const blocked = { input: new PassThrough(), output: new PassThrough() }
    await expect(connectStdio({ host: 'a.test', port: 1 }, { config: [config.path] }, blocked)).rejects.toMatchObject({ code: 'BLOCKED' })
  })
})

describe('sluice', () => {
  it('does not take a subcommand for another upstream', async () => {
    await using command = startCommand('-F', 'http://127.0.0.1:1', 'connect', '127.0.0.1', String(await closedPort()))
    expect(await command.exit).toBe(1)
    expect(command.err()).toContain('127.0.0.1:1')
  })
})
