import { CONTROL, ControlHub, createControlFeature } from '@sluice/control'
import { ConfigError, createInstance, fault, type Config, type Instance, type Module } from '@sluice/core'
import { closedPort, connectProxy, connectTo, Peer, scriptedUpstream, startTarget } from '@sluice/testkit'
import { describe, expect, it } from 'vitest'
import { modules } from '../src/index.js'
import { configFolder } from './command.js'
import { runMain, type MainResult } from './run-main.js'

const SECRET = 'a-long-secret'

interface Running extends AsyncDisposable {
  readonly instance: Instance
  readonly hub: ControlHub
  /** Runs `sluice api` against it. */
  api(...args: string[]): Promise<MainResult>
  open(targetPort: number): Promise<Peer>
}

async function running(config: Config = {}): Promise<Running> {
  const hub = new ControlHub()
  const own = (module: Module): Module =>
    module.kind === 'feature' && module.section === 'control' ? createControlFeature({ hub }) : module
  const instance = createInstance({
    control: { listen: '127.0.0.1:0' },
    inbounds: [{ protocol: 'http', tag: 'in', port: 0 }],
    outbounds: [{ protocol: 'freedom', tag: 'direct' }],
    ...config,
  }, { modules: modules.map(own) })
  await instance.start()
  const address = `127.0.0.1:${instance.get(CONTROL).address?.port}`
  return {
    instance,
    hub,
    api: (command = '', ...args) => runMain('api', command, '--address', address, ...args),
    async open(targetPort) {
      const client = new Peer(await connectTo(instance.listening[0]?.address.port ?? 0))
      await client.send(`CONNECT 127.0.0.1:${targetPort} HTTP/1.1\r\nHost: a\r\n\r\n`)
      await client.expectHead()
      return client
    },
    async [Symbol.asyncDispose]() {
      await instance.stop({ drainMs: 0 })
    },
  }
}

describe('sluice api conns', () => {
  it('lists live sessions as a table, and as JSON', async () => {
    await using target = await startTarget('echo')
    await using upstream = await connectProxy()
    await using program = await running({
      outbounds: [{ protocol: 'http', tag: 'proxy', settings: { servers: [{ address: '127.0.0.1', port: upstream.port }] } }],
    })
    const client = await program.open(target.port)
    await client.send('x'.repeat(2_048))
    await client.expectBytes(2_048)
    const { code, out } = await program.api('conns')
    expect(code).toBe(0)
    const [head, row, sum] = out.split('\n')
    expect(head?.split(/ {2,}/)).toEqual(['ID', 'STATE', 'IN', 'CLIENT', 'USER', 'TARGET', 'OUT', 'UP', 'DOWN', 'AGE'])
    expect(row?.split(/ {2,}/)).toEqual([
      program.instance.connections()[0]?.id, 'open', 'in', expect.stringMatching(/^127\.0\.0\.1:\d+$/), '-', `127.0.0.1:${target.port}`,
      `proxy 127.0.0.1:${upstream.port}`, '2.0 KiB', '2.0 KiB', expect.stringMatching(/^\d+ s$/),
    ])
    expect(sum).toBe('1 session')
    const json = await program.api('conns', '--json')
    expect(JSON.parse(json.out)).toMatchObject({ connections: [{ target: `127.0.0.1:${target.port}`, uplinkBytes: 2_048 }] })
  })
})

describe('sluice api close', () => {
  it('ends one session, or all, and fails where there is none', async () => {
    await using target = await startTarget('echo')
    await using program = await running()
    const [first, second] = [await program.open(target.port), await program.open(target.port)]
    const [session] = program.instance.connections()
    expect(await program.api('close', session?.id ?? '')).toMatchObject({ code: 0, out: 'closed 1 session\n' })
    await first.expectReset()
    expect(await program.api('close', session?.id ?? '')).toMatchObject({ code: 1, err: expect.stringContaining('No such session') as string })
    expect(await program.api('close', '--all')).toMatchObject({ code: 0, out: 'closed 1 session\n' })
    await second.expectReset()
  })

  it.each([[], ['7', '--all']])('does not guess what is meant: %j', async (...args) => {
    expect(await runMain('api', 'close', ...args)).toMatchObject({ code: 2, err: expect.stringContaining('--all') as string })
  })
})

describe('sluice api stats', () => {
  it('lists what is counted, and says where nothing is', async () => {
    await using target = await startTarget('echo')
    const counted: Config = { stats: {}, policy: { system: { statsInboundUplink: true } } }
    await using program = await running(counted)
    const client = await program.open(target.port)
    await client.send('hello')
    await client.expect('hello')
    expect((await program.api('stats')).out).toMatch(/^COUNTER +BYTES\ninbound>>>in>>>traffic>>>uplink +5\n$/)
    await using other = await running()
    expect((await other.api('stats')).out).toMatch(/^no counters: /)
    expect((await other.api('stats', '--json')).out).toBe('{}\n')
  })
})

describe('sluice api health', () => {
  it('exits with 0 while servers are up, and with 1 while all of an outbound rest', async () => {
    const dead = await closedPort()
    await using program = await running({
      outbounds: [{ protocol: 'http', tag: 'proxy', settings: { servers: [{ address: '127.0.0.1', port: dead }] } }],
    })
    expect(await program.api('health')).toMatchObject({ code: 0, out: 'ok\n' })
    await program.open(9)
    const { code, out } = await program.api('health')
    expect(code).toBe(1)
    expect(out).toMatch(new RegExp(`^not ok: .*\nOUTBOUND .*\nproxy +127\\.0\\.0\\.1:${dead} +resting +\\S+Z +DIAL\n$`))
    expect(await program.api('health', '--json')).toMatchObject({ code: 1, out: expect.stringMatching(/^\{"ok":false/) as string })
  })
})

describe('sluice api reload', () => {
  it('tells what became of it', async () => {
    await using program = await running()
    expect(await program.api('reload')).toMatchObject({ code: 1, err: expect.stringContaining('501') as string })
    program.hub.onReload = () => Promise.resolve([fault(['log', 'dnsLog'], 'is ignored', { severity: 'warning' })])
    expect(await program.api('reload')).toEqual({ code: 0, out: 'reloaded; open sessions go on\n', err: 'warning: log.dnsLog: is ignored\n' })
    program.hub.onReload = () => Promise.reject(new ConfigError([fault(['inbounds'], 'must be a list')]))
    expect(await program.api('reload')).toMatchObject({
      code: 1, out: 'nothing was changed\n', err: expect.stringContaining('error: inbounds: must be a list\n') as string,
    })
  })
})

describe('sluice api', () => {
  it('takes the secret from a file or the environment, and tells it nobody', async () => {
    await using program = await running({ control: { listen: '127.0.0.1:0', secret: SECRET } })
    await using files = await configFolder({ secret: `${SECRET}\n`, odd: 'with blanks\n' })
    expect(await program.api('health')).toMatchObject({ code: 1, err: expect.stringContaining('--secret-file') as string })
    expect(await program.api('health', '--secret-file', `${files.path}/secret`)).toMatchObject({ code: 0 })
    process.env['SLUICE_CONTROL_SECRET'] = SECRET
    try {
      expect(await program.api('health')).toMatchObject({ code: 0 })
    } finally {
      delete process.env['SLUICE_CONTROL_SECRET']
    }
    const odd = await program.api('health', '--secret-file', `${files.path}/odd`)
    expect([odd.code, odd.err.includes('blanks')]).toEqual([2, false])
    expect(await program.api('health', '--secret-file', `${files.path}/none`)).toMatchObject({ code: 2 })
  })

  it.each(['127.0.0.1', 'http://127.0.0.1:9090', ':9090', '127.0.0.1:0', '127.0.0.1:70000'])('refuses the address %s', async (address) => {
    expect(await runMain('api', 'health', '--address', address)).toMatchObject({ code: 2, err: expect.stringContaining('host:port') as string })
  })

  it('says so when nobody listens, or something else does', async () => {
    const refused = await runMain('api', 'health', '--address', `127.0.0.1:${await closedPort()}`)
    expect(refused).toMatchObject({ code: 1, err: expect.stringContaining('section "control"') as string })
    await using other = await startTarget('echo')
    const odd = await runMain('api', 'stats', '--address', `127.0.0.1:${other.port}`)
    expect(odd).toMatchObject({ code: 1, err: expect.stringMatching(/^sluice: Cannot ask the program/) as string })
  })

  it('lets no name of a target reach the terminal as it is', async () => {
    const session = {
      id: '7', state: 'connecting', inbound: 'in', target: 'a\u001b[2Jb:80', network: 'tcp', startedAt: new Date().toISOString(),
      attempts: 1, uplinkBytes: 0, downlinkBytes: 0,
    }
    await using upstream = await scriptedUpstream(async (peer) => {
      await peer.expectHead()
      const text = JSON.stringify({ connections: [session] })
      await peer.send(`HTTP/1.1 200 OK\r\nContent-Length: ${text.length}\r\n\r\n${text}`)
    })
    const { code, out } = await runMain('api', 'conns', '--address', `127.0.0.1:${upstream.port}`)
    expect([code, out.includes('a?[2Jb:80'), out.includes('\u001b')]).toEqual([0, true, false])
  })
})
