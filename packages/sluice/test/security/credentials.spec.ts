import { inspect } from 'node:util'
import { closedPort, connectProxy, connectTo, Peer, scriptedUpstream, startTarget, until } from '@sluice/testkit'
import { afterEach, describe, expect, it } from 'vitest'
import { createInstance, isConfigError, modules, type Config, type Instance } from '../../src/index.js'

const OURS = { user: 'client', pass: 'correct-horse' }
const THEIRS = { user: 'upstream', pass: 'battery-staple' }
const basic = ({ user, pass }: typeof OURS): string => btoa(`${user}:${pass}`)
const SECRETS = [OURS.pass, THEIRS.pass, basic(OURS), basic(THEIRS), 'wrong-guess', basic({ user: 'client', pass: 'wrong-guess' })]

const started: Instance[] = []

afterEach(async () => {
  for (const instance of started.splice(0)) await instance.stop({ drainMs: 0 })
})

interface Watched {
  /** All that the instance told, deep to the bottom. */
  readonly told: string[]
  ask(request: string): Promise<string>
}

/** An HTTP inbound with an account, in front of these proxies. */
async function start(servers: readonly { port: number, user?: typeof THEIRS }[], settings: object = {}): Promise<Watched> {
  const instance = createInstance({
    inbounds: [{ protocol: 'http', port: 0, tag: 'in', settings: { accounts: [OURS] } }],
    outbounds: [{
      protocol: 'http', tag: 'out',
      settings: { ...settings, servers: servers.map(({ port, user }) => ({ address: '127.0.0.1', port, ...(user && { users: [user] }) })) },
    }],
  } as Config, { modules })
  started.push(instance)
  const told: string[] = []
  const note = (...values: unknown[]): void => { told.push(inspect(values, { depth: Infinity, maxStringLength: Infinity, showHidden: true })) }
  for (const name of ['session:open', 'session:established', 'session:close', 'server:down', 'server:up', 'log'] as const) instance.events.on(name, note)
  await instance.start()
  const port = instance.listening[0]?.address.port ?? 0
  return {
    told,
    async ask(request) {
      const client = new Peer(await connectTo(port))
      await client.send(request)
      await until(() => client.ended || String(client.received).includes('\r\n\r\n'), 'an answer', 10_000)
      client.socket.destroy()
      return String(client.received)
    },
  }
}

const connectLine = (target: string, account = OURS): string =>
  `CONNECT ${target} HTTP/1.1\r\nHost: ${target}\r\nProxy-Authorization: Basic ${basic(account)}\r\n\r\n`

function expectNone(texts: readonly string[]): void {
  for (const secret of SECRETS) expect(texts.filter((text) => text.includes(secret))).toEqual([])
}

describe('T3 credentials', () => {
  it('are in no event, log line, error or answer, whatever becomes of a session', async () => {
    await using target = await startTarget('echo')
    await using open = await connectProxy({ auth: THEIRS })
    await using other = await connectProxy({ auth: { user: 'upstream', pass: 'not-this-one' } })
    await using refusing = await connectProxy({ behaviour: 'refuse' })
    const ways = [open, other, refusing, { port: await closedPort() }]
    const texts: string[] = []
    for (const { port } of ways) {
      const { told, ask } = await start([{ port, user: THEIRS }])
      texts.push(await ask(connectLine(`127.0.0.1:${target.port}`)), await ask(connectLine('x:1', { user: 'client', pass: 'wrong-guess' })))
      texts.push(await ask(connectLine('x y:1')), await ask(connectLine('x:1').replace('CONNECT', 'BREW')))
      texts.push(...told)
    }
    expect(texts[0]).toMatch(/^HTTP\/1\.1 200 /)
    expect(texts.filter((text) => /AUTH|407/.test(text)).length).toBeGreaterThan(4)
    expectNone(texts)
  })
})

describe('T12 credentials', () => {
  it('of our client do not go to the upstream, and those for the upstream do not go to the target', async () => {
    await using target = await startTarget('silent')
    await using upstream = await connectProxy({ auth: THEIRS })
    const { ask } = await start([{ port: upstream.port, user: THEIRS }])
    expect(await ask(connectLine(`127.0.0.1:${target.port}`))).toMatch(/^HTTP\/1\.1 200 /)
    expect(upstream.requests.join()).toContain(basic(THEIRS))
    expect(upstream.requests.join()).not.toContain(basic(OURS))
    expect((await target.connection(0)).receivedBytes).toBe(0)
  })

  it('for one server do not go to another, on which a session is tried again', async () => {
    const seen: string[] = []
    const script = async (peer: Peer): Promise<void> => {
      seen.push(await peer.expectHead())
      await peer.send('HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n')
    }
    await using first = await scriptedUpstream(script)
    await using second = await scriptedUpstream(script)
    const { ask } = await start([{ port: first.port, user: THEIRS }, { port: second.port }])
    expect(await ask(connectLine('target.test:443'))).toMatch(/^HTTP\/1\.1 502 /)
    expect(seen).toHaveLength(2)
    expect(seen.filter((head) => head.includes(basic(THEIRS)))).toHaveLength(1)
    expect(second.requests.join()).not.toMatch(/proxy-authorization/i)
  })
})

describe('T18 the faults of a config', () => {
  it.each([
    ['a password that is no text', { accounts: [{ user: 'a', pass: ['battery-staple'] }] }],
    ['an unknown key', { accounts: [{ user: 'a', pass: 'x', password: 'battery-staple' }] }],
    ['an account twice', { accounts: [{ user: 'a', pass: 'battery-staple' }, { user: 'a', pass: 'battery-staple' }] }],
    ['a user with a colon', { accounts: [{ user: 'a:b', pass: 'battery-staple' }] }],
    ['a password in place of an account', { accounts: ['battery-staple'] }],
  ])('do not tell the password: %s', (_, settings) => {
    let shown = ''
    try {
      createInstance({ inbounds: [{ protocol: 'http', port: 0, settings }] } as unknown as Config, { modules })
    } catch (error) {
      if (!isConfigError(error)) throw error
      shown = `${inspect(error, { depth: Infinity })}${JSON.stringify(error.faults)}${error.stack}`
    }
    expect(shown).toContain('accounts')
    expect(shown).not.toContain('battery-staple')
  })
})
