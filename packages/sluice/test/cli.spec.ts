import { createServer } from 'node:net'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { describe, expect, it } from 'vitest'
import { connectProxy, connectTo, startTarget, until as untilWithin } from '@sluice/testkit'
import { configFile, startCommand } from './command.js'

/** A process of its own may be slow to answer on a busy machine. */
const until = (condition: () => boolean, what: string | (() => string)): Promise<void> => untilWithin(condition, what, 10_000)

const upstream = (port: number, users: readonly unknown[] = []): unknown =>
  ({ protocol: 'http', tag: 'proxy', settings: { servers: [{ address: '127.0.0.1', port, users }] } })

/** Asks for a target through the command's HTTP inbound. */
async function connectThrough(port: number, target: number): Promise<{ socket: Awaited<ReturnType<typeof connectTo>>, text: () => string }> {
  const socket = await connectTo(port)
  let text = ''
  socket.on('data', (chunk: Buffer) => { text += chunk.toString('latin1') })
  socket.write(`CONNECT 127.0.0.1:${target} HTTP/1.1\r\nHost: 127.0.0.1:${target}\r\n\r\n`)
  return { socket, text: () => text }
}

describe('sluice run', () => {
  it('carries a session through an upstream with a password', async () => {
    await using target = await startTarget('banner')
    await using proxy = await connectProxy({ auth: { user: 'u', pass: 'p' } })
    await using config = await configFile({
      inbounds: [{ protocol: 'http', port: 0 }], outbounds: [upstream(proxy.port, [{ user: 'u', pass: 'p' }])],
    })
    await using command = startCommand('run', '-c', config.path)
    const { socket, text } = await connectThrough(await command.port(), target.port)
    await until(() => text().includes('SSH-'), () => `the banner: ${text()}${command.err()}`)
    expect(text()).toMatch(/^HTTP\/1.1 200 /)
    socket.destroy()
  })

  it('C180 C186 says why an upstream refuses, to the client and in the log, and never the password', async () => {
    await using target = await startTarget('echo')
    await using proxy = await connectProxy({ auth: { user: 'u', pass: 'right' } })
    await using config = await configFile({
      log: { loglevel: 'debug' },
      inbounds: [{ protocol: 'http', port: 0 }], outbounds: [upstream(proxy.port, [{ user: 'u', pass: 'hunter2wrong' }])],
    })
    await using command = startCommand('run', '-c', config.path)
    const { socket, text } = await connectThrough(await command.port(), target.port)
    await once(socket, 'end')
    expect(text()).toMatch(/^HTTP\/1.1 502 [^]*AUTH[^]*refuses the user or password/)
    expect(proxy.requests).toHaveLength(1)
    await until(() => command.out().includes('rejected'), 'the access line')
    expect(command.err()).toMatch(/\[Warning\].*refuses the user or password/)
    const all = command.out() + command.err() + text()
    for (const secret of ['hunter2wrong', Buffer.from('u:hunter2wrong').toString('base64'), 'Proxy-Authorization']) expect(all).not.toContain(secret)
    socket.destroy()
  })

  it('tells all four faults of a config with their places and exits with 23', async () => {
    await using config = await configFile(`{
      // four mistakes
      "inbounds": [{ "protocol": "socks", "port": 70000 }, { "protocol": "htp", "port": 1 }],
      "outbounds": [{ "protocol": "freedom", "tagg": "x" }],
      "routing": { "rules": [{ "type": "field", "inboundTag": ["a"], "outboundTag": "nowhere" }] },
    }`)
    await using command = startCommand('run', '-c', config.path)
    expect(await command.exit).toBe(23)
    const lines = command.err().split('\n').filter((line) => line.startsWith('error: '))
    expect(lines.map((line) => line.replace(config.path, 'FILE').slice(0, 46))).toEqual([
      'error: FILE:3:51 inbounds[0].port: must be a p',
      'error: FILE:3:74 inbounds[1].protocol: unknown',
      'error: FILE:4:46 outbounds[0].tagg: unknown ke',
      expect.stringMatching(/^error: FILE:5:\d+ routing.rules\[0\]/),
    ])
    expect(command.err()).not.toMatch(/\bat .*\.js/)
    expect(command.out()).toBe('')
  })

  it('tells a file that cannot be read', async () => {
    await using command = startCommand('run', '-c', '/nowhere/config.json')
    expect(await command.exit).toBe(23)
    expect(command.err()).toContain('/nowhere/config.json')
  })

  it('leaves nothing open when the second inbound has no port', async () => {
    await using taken = createServer().listen(0, '127.0.0.1')
    await once(taken, 'listening')
    const { port } = taken.address() as AddressInfo
    await using config = await configFile({
      inbounds: [{ protocol: 'socks', port: 0 }, { protocol: 'http', port }], outbounds: [{ protocol: 'freedom' }],
    })
    await using command = startCommand('run', '-c', config.path)
    expect(await command.exit).toBe(1)
    expect(command.err()).toMatch(new RegExp(`127.0.0.1:${port}.*in use`))
  })

  it('refuses a public listener without accounts and names the way out', async () => {
    await using config = await configFile({ inbounds: [{ protocol: 'http', listen: '0.0.0.0', port: 0 }], outbounds: [{ protocol: 'freedom' }] })
    await using refused = startCommand('run', '-c', config.path)
    expect(await refused.exit).toBe(23)
    expect(refused.err()).toContain('allowOpen')
    await using allowed = startCommand('run', '-c', config.path, '--allow-open')
    expect(await allowed.port()).toBeGreaterThan(0)
  })
})

describe('sluice', () => {
  it.each(['SIGINT', 'SIGTERM'] as const)('lets sessions end after %s and exits with 0', async (signal) => {
    await using target = await startTarget('echo')
    await using command = startCommand('-L', 'http://127.0.0.1:0')
    const port = await command.port()
    const { socket, text } = await connectThrough(port, target.port)
    await until(() => text().includes('200'), 'the tunnel')
    command.child.kill(signal)
    await until(() => command.err().includes(signal), 'the word of the signal')
    await expect(connectTo(port)).rejects.toThrow()
    socket.write('still here')
    await until(() => text().endsWith('still here'), 'the echo')
    expect(command.child.exitCode).toBeNull()
    socket.end()
    expect(await command.exit).toBe(0)
  })

  it('cuts sessions at the second signal', async () => {
    await using target = await startTarget('echo')
    await using command = startCommand('-L', 'http://127.0.0.1:0')
    const { socket, text } = await connectThrough(await command.port(), target.port)
    await until(() => text().includes('200'), 'the tunnel')
    const cut = expect(once(socket, 'end')).rejects.toMatchObject({ code: 'ECONNRESET' })
    command.child.kill('SIGTERM')
    await until(() => command.err().includes('SIGTERM'), 'the word of the signal')
    command.child.kill('SIGTERM')
    expect(await command.exit).toBe(0)
    await cut
  })

  it('goes through a chain of upstreams, nearest first', async () => {
    await using target = await startTarget('banner')
    await using near = await connectProxy()
    await using far = await connectProxy({ auth: { user: 'a@b', pass: 'c:d' } })
    await using command = startCommand('-L', 'http://127.0.0.1:0', '-F', `http://127.0.0.1:${near.port}`, '-F', `http://a%40b:c%3Ad@127.0.0.1:${far.port}`)
    const { socket, text } = await connectThrough(await command.port(), target.port)
    await until(() => text().includes('SSH-'), () => `the banner: ${text()}${command.err()}`)
    expect(near.requests.map((head) => head.split(' ')[1])).toEqual([`127.0.0.1:${far.port}`])
    expect(far.requests.map((head) => head.split(' ')[1])).toEqual([`127.0.0.1:${target.port}`])
    socket.destroy()
  })

  it.each([
    [['-L', 'foo'], /-L "foo"/], [['-F', 'socks5://127.0.0.1:1'], /http:\/\/ or https:\/\//], [['-F', 'http://u:%zz@h:1'], /%25/],
    [['run'], /--config/], [['--nonsense'], /--nonsense/], [['--log-level', 'loud'], /loud/],
  ])('exits with 2 for %j', async (args, message) => {
    await using command = startCommand(...args)
    expect(await command.exit).toBe(2)
    expect(command.err()).toMatch(message)
    expect(command.err()).not.toContain('%zz')
  })

  it.each([['--help', /Usage: sluice/], ['--version', /^\d+\.\d+\.\d+\n$/]])('answers %s and exits with 0', async (option, answer) => {
    await using command = startCommand(option)
    expect(await command.exit).toBe(0)
    expect(command.out()).toMatch(answer)
  })
})
