import { renameSync, writeFileSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { once } from 'node:events'
import { closedPort, connectProxy, connectTo, pattern, Peer, startTarget, until } from '@sluice/testkit'
import { describe, expect, it } from 'vitest'
import { createProxy, type Config, type Proxy } from '../src/index.js'
import { configFile, startCommand } from './command.js'

const LIVE = 200
const local = { protocol: 'http', tag: 'local', port: 0 } as const
const direct = { protocol: 'freedom', tag: 'direct' } as const

const portOf = ({ listening }: Proxy): number => listening[0]?.address.port ?? 0

function through(port: number): Config {
  return { log: { access: 'none', error: 'none' }, inbounds: [local], outbounds: [{ protocol: 'http', settings: { servers: [{ address: '127.0.0.1', port }] } }] }
}

async function open(port: number, target: number): Promise<Peer> {
  const client = new Peer(await connectTo(port))
  await client.send(`CONNECT 127.0.0.1:${target} HTTP/1.1\r\nHost: a\r\n\r\n`)
  expect(await client.expectHead()).toMatch(/^HTTP\/1.1 200 /)
  return client
}

describe('createProxy()', () => {
  it('starts a config, tells of sessions, counts them, and stops', async () => {
    await using target = await startTarget('echo')
    await using proxy = createProxy({ inbounds: [local], outbounds: [direct] })
    const ended: string[] = []
    proxy.on('session:close', ({ record }) => ended.push(record.outcome ?? ''))
    expect(await proxy.start()).toEqual([])
    const client = await open(portOf(proxy), target.port)
    await client.send('hello')
    await client.expect('hello')
    expect(proxy.connections()).toHaveLength(1)
    expect(proxy.stats()).toMatchObject({ sessions: 1, open: 1, failed: 0 })
    await client.fin()
    await client.expectEnd()
    expect(await proxy.stop({ drainMs: 5_000 })).toEqual({ cut: 0 })
    expect(ended).toEqual(['closed'])
    expect(proxy.stats()).toMatchObject({ sessions: 1, open: 0, uplinkBytes: 5, downlinkBytes: 5 })
  })

  it('tells every fault of a config, and of a file where it is', async () => {
    await expect(createProxy({ inbounds: [{ protocol: 'http', port: 70_000 }] }).start()).rejects.toMatchObject({
      faults: [{ path: 'inbounds[0].port' }],
    })
    await using file = await configFile('{\n  "outbounds": [{ "protocol": "fredom" }] }')
    await expect(createProxy(file.path).start()).rejects.toMatchObject({ faults: [{ line: 2, file: file.path }] })
  })

  it('stops at once when its signal aborts', async () => {
    await using target = await startTarget('echo')
    const controller = new AbortController()
    const proxy = createProxy({ inbounds: [local], outbounds: [direct] }, { signal: controller.signal })
    await proxy.start()
    const client = await open(portOf(proxy), target.port)
    controller.abort()
    await client.expectReset()
    await proxy.stop()
  })
})

describe('Proxy.reload()', () => {
  it(`cuts none of ${LIVE} live tunnels, refuses nobody meanwhile, and takes new sessions another way`, async () => {
    await using target = await startTarget('echo')
    await using one = await connectProxy()
    await using other = await connectProxy()
    await using file = await configFile(through(one.port))
    await using proxy = createProxy(file.path)
    await proxy.start()
    const port = portOf(proxy)
    const live = await Promise.all(Array.from({ length: LIVE }, () => open(port, target.port)))
    writeFileSync(file.path, JSON.stringify(through(other.port)))
    const reloaded = proxy.reload()
    const meanwhile = await Promise.all(Array.from({ length: 20 }, () => open(port, target.port)))
    await reloaded
    expect(portOf(proxy)).toBe(port)
    const after = await open(port, target.port)
    expect([one.requests.length + other.requests.length, other.requests.length > 0]).toEqual([LIVE + 21, true])
    await Promise.all([...live, ...meanwhile, after].map(async (client, index) => {
      const bytes = pattern(2_000, index)
      await client.send(bytes)
      expect((await client.expectBytes(bytes.length)).equals(bytes)).toBe(true)
    }))
    expect(proxy.connections()).toHaveLength(LIVE + 21)
    await Promise.all([...live, ...meanwhile, after].map(async (client) => {
      await client.fin()
      await client.expectEnd()
    }))
    await until(() => proxy.stats().open === 0, 'all sessions to end')
    expect(proxy.stats()).toMatchObject({ sessions: LIVE + 21, failed: 0 })
  })

  it('keeps the old config when the new one is wrong, or cannot listen', async () => {
    await using target = await startTarget('echo')
    const port = await closedPort()
    await using taken = createServer().listen(0, '127.0.0.1')
    await once(taken, 'listening')
    const inbounds = [{ ...local, port }, { protocol: 'socks', port: (taken.address() as AddressInfo).port }] as const
    await using file = await configFile({ log: { access: 'none' }, inbounds: [{ ...local, port }], outbounds: [direct] })
    await using proxy = createProxy(file.path)
    await proxy.start()
    const live = await open(port, target.port)
    for (const [config, fault] of [
      [{ inbounds: [local], outbounds: [{ protocol: 'nonsense' }] }, { name: 'ConfigError' }],
      [{ inbounds, outbounds: [direct] }, { message: expect.stringContaining('in use') as string }],
      // The port is wanted in another way, and so was let go first.
      [{ inbounds: [{ ...local, port, streamSettings: { sockopt: { tcpKeepAliveIdle: 30 } } }, ...inbounds.slice(1)], outbounds: [direct] }, { message: expect.stringContaining('in use') as string }],
    ] as const) {
      writeFileSync(file.path, JSON.stringify(config))
      await expect(proxy.reload()).rejects.toMatchObject(fault)
    }
    for (const client of [live, await open(portOf(proxy), target.port)]) {
      await client.send('still here')
      await client.expect('still here')
      client.socket.destroy()
    }
    expect(proxy.listening).toHaveLength(1)
  })

  it('stops listening where the new config does not, and starts where it does', async () => {
    await using file = await configFile({ inbounds: [local], outbounds: [direct] })
    await using proxy = createProxy(file.path)
    await proxy.start()
    const port = portOf(proxy)
    writeFileSync(file.path, JSON.stringify({ inbounds: [{ ...local, listen: '127.0.0.2' }], outbounds: [direct] }))
    await proxy.reload()
    expect(proxy.listening.map(({ address }) => address.host)).toEqual(['127.0.0.2'])
    await expect(connectTo(port)).rejects.toThrow()
  })
})

describe('sluice run', () => {
  it('reloads on SIGHUP, and tells why it does not', async () => {
    await using target = await startTarget('banner')
    await using upstream = await connectProxy()
    await using file = await configFile({ inbounds: [local], outbounds: [direct] })
    await using command = startCommand('run', '-c', file.path)
    const port = await command.port()
    writeFileSync(file.path, JSON.stringify(through(upstream.port)))
    command.child.kill('SIGHUP')
    await until(() => command.err().includes('was reloaded'), () => `the reload: ${command.err()}`, 10_000)
    const client = await open(port, target.port)
    await client.expect('SSH-')
    expect(upstream.requests).toHaveLength(1)
    client.socket.destroy()
    writeFileSync(file.path, '{ "outbounds": 7 }')
    command.child.kill('SIGHUP')
    await until(() => command.err().includes('nothing was changed'), () => `the refusal: ${command.err()}`, 10_000)
    command.child.kill('SIGTERM')
    expect(await command.exit).toBe(0)
  })

  it('reloads with --watch when a file is replaced', async () => {
    await using file = await configFile({ inbounds: [local], outbounds: [direct] })
    await using command = startCommand('run', '--watch', '-c', file.path)
    await command.port()
    writeFileSync(`${file.path}.new`, JSON.stringify({ inbounds: [local], outbounds: [{ protocol: 'blackhole', tag: 'no' }] }))
    renameSync(`${file.path}.new`, file.path)
    await until(() => command.err().includes('sessions go to no'), () => `the reload: ${command.err()}`, 10_000)
  })

  it('tells what runs on standard error, without passwords, unless it is to be quiet', async () => {
    const users = [{ user: 'me', pass: 'hunter2' }]
    await using file = await configFile({
      inbounds: [{ ...local, tag: 'here' }],
      outbounds: [
        { tag: 'far', protocol: 'http', settings: { servers: [{ address: 'proxy.test', port: 443, users }] }, streamSettings: { security: 'tls' } },
        direct,
      ],
      routing: { rules: [{ type: 'field', port: 80, outboundTag: 'direct' }] },
      dns: {},
    })
    await using command = startCommand('run', '-c', file.path)
    await until(() => command.err().includes('sessions go to'), () => `the start block: ${command.err()}`, 10_000)
    const lines = command.err().split('\n')
    expect(lines).toEqual(expect.arrayContaining([
      expect.stringMatching(/^ {2}listening on 127\.0\.0\.1:\d+ \(http\) \[here\]$/), '  outbound far (http, TLS): me:***@proxy.test:443',
      '  outbound direct (freedom)', '  sessions go to far, after 1 rule',
    ]))
    expect(command.err()).not.toContain('hunter2')
    expect(command.out()).toBe('')
    await using quiet = startCommand('-q', '-L', 'http://127.0.0.1:0')
    quiet.child.kill('SIGTERM')
    await quiet.exit
    expect(quiet.err()).not.toContain('listening')
  })
})
