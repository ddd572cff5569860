import { describe, expect, it } from 'vitest'
import { DEFAULT_POLICY, InstanceEvents, tcp, type Destination, type Policy, type PolicyManager, type ProxyErrorCode } from '@sluice/core'
import { testContext, testPolicies } from '@sluice/testkit'
import { HttpOutbound } from '../src/index.js'
import { answer, Case, PAYLOAD, requestFor, serverOf, Session, startUpstream, TARGET, WIRES, type Variant } from './harness.js'

const OK = answer('HTTP/1.1 200 OK\r\n\r\n')

/** Opens a tunnel there, and checks the whole request. */
async function expectRequest(wire: Variant, target: Destination, authority: string): Promise<void> {
  await using run = await Case.start(wire, OK, { session: { target } })
  await run.carries('', requestFor(authority))
}

for (const wire of WIRES) describe(`A request over ${wire.over}`, () => {
  it.each([
    ['1.2.3.4', 443, '1.2.3.4:443'],
    ['2001:db8::1', 443, '[2001:db8::1]:443'],
    ['example.com', 80, 'example.com:80'],
  ])('C160 names %s port %d as %s, with the port always', async (host, port, authority) => {
    await expectRequest(wire, tcp(host, port), authority)
  })

  it.each([1, 65_535])('C162 carries port %d', async (port) => {
    await expectRequest(wire, tcp('example.com', port), `example.com:${port}`)
  })

  it.each([
    ['münchen.de', 'xn--mnchen-3ya.de:443'],
    ['_dmarc.x', '_dmarc.x:443'],
    ['Example.COM', 'Example.COM:443'],
  ])('C164 writes the name %s as %s', async (host, authority) => {
    await expectRequest(wire, tcp(host, 443), authority)
  })

  it.each<[string, ProxyErrorCode, Destination]>([
    ['C162 port 0', 'TARGET', tcp('example.com', 0)],
    ['C162 port 65536', 'TARGET', tcp('example.com', 65_536)],
    ['C162 port -1', 'TARGET', tcp('example.com', -1)],
    ['C164 a name with a line break', 'TARGET', tcp('a\r\nHost: b', 443)],
    ['C164 a name with a user', 'TARGET', tcp('a@127.0.0.1', 443)],
    ['C164 an address with a zone', 'TARGET', tcp('fe80::1%eth0', 443)],
    ['C166 UDP', 'UNSUPPORTED', { network: 'udp', host: 'example.com', port: 53 }],
  ])('%s is refused with %s, and nothing is dialled', async (_, code, target) => {
    await using run = await Case.start(wire, OK, { session: { target } })
    const error = await run.session.refused([run.upstream])
    expect(error).toMatchObject({ code, side: 'downstream' })
    expect(run.upstream.connections).toBe(0)
    expect(run.session.ctx.record.attempts).toBe(0)
    expect(run.session.ctx.record.server).toBeUndefined()
  })

  it.each([
    ['an address', 'user@example.com', '%40'],
    ['letters of the world', 'müller', 'пароль'],
    ['colons in the password', 'me', 'a:b:c'],
    ['no password', 'me', undefined],
    ['10 KiB', 'u'.repeat(10_240), 'p'.repeat(10_240)],
  ])('C168 carries credentials with %s exactly', async (_, user, pass) => {
    const base64 = Buffer.from(`${user}:${pass ?? ''}`, 'utf8').toString('base64')
    await using run = await Case.start(wire, OK, { server: { users: [{ user, ...(pass !== undefined && { pass }) }] } })
    await run.carries('', requestFor(undefined, `Proxy-Authorization: Basic ${base64}`))
  })

  it('carries the configured fields as they are written, behind ours', async () => {
    await using run = await Case.start(wire, OK, { settings: { headers: { 'User-Agent': 'x/1', 'x-UMLAUT': '\u00fc' } } })
    await run.carries('', requestFor().replace(/\r\n$/, 'User-Agent: x/1\r\nx-UMLAUT: \u00fc\r\n\r\n'))
  })

  it('P6 has the configured Proxy-Connection in place of ours', async () => {
    await using run = await Case.start(wire, OK, { settings: { headers: { 'proxy-connection': 'close' } } })
    await run.carries('', requestFor().replace('Proxy-Connection: Keep-Alive', 'proxy-connection: close'))
  })
})

const [wire] = WIRES
if (wire === undefined) throw new Error('no wire')

/** Level 7 is the quick one. */
const LEVELS: PolicyManager = {
  ...testPolicies(),
  forLevel: (level): Policy => (level === 7 ? { ...DEFAULT_POLICY, handshakeMs: 60, connIdleMs: 80 } : DEFAULT_POLICY),
}

describe('The policy of a session', () => {
  it.each([
    ['the account, not of the client', { user: 'me', level: 7 }, { name: 'client', level: 0 }, true],
    ['the account, which has the default', { user: 'me' }, { name: 'client', level: 7 }, false],
    ['the client where there is no account', undefined, { name: 'client', level: 7 }, true],
    ['the default where nobody is known', undefined, undefined, false],
  ])('is that of %s', async (_, account, user, isQuick) => {
    await using silent = await startUpstream(wire, async (peer) => { await peer.expectHead() })
    await using upstream = await startUpstream(wire, OK)
    const users = account === undefined ? {} : { users: [account] }
    const servers = [serverOf(silent, users), serverOf(upstream, users)]
    const outbound = new HttpOutbound({ servers }, 'out', LEVELS, new InstanceEvents())
    const cancelling = new AbortController()
    const ctx = testContext({ target: TARGET, signal: cancelling.signal, ...(user && { user }) })
    const opening = outbound.connect(ctx, wire.dialer)
    const peer = await silent.peer(0)
    if (isQuick) {
      await peer.closed
      const connection = await opening
      expect(ctx.record).toMatchObject({ attempts: 2, server: `127.0.0.1:${upstream.port}` })
      connection.destroy()
    } else {
      await peer.wait(200)
      expect(peer.socket.destroyed).toBe(false)
      cancelling.abort('enough')
      await expect(opening).rejects.toBe('enough')
    }
  })

  it('holds for the relay, too', async () => {
    await using upstream = await startUpstream(wire, OK)
    const servers = [serverOf(upstream, { users: [{ user: 'me', level: 7 }] })]
    const session = await Session.start(new HttpOutbound({ servers }, 'out', LEVELS, new InstanceEvents()), wire.dialer)
    await session.ended('idle')
    session.close()
  })
})

describe('halfClose', () => {
  it.each([
    ['is passed on by default', {}, {}, true],
    ['is held back where the outbound says so', { halfClose: 'hold' }, {}, false],
    ['is held back where the server says so', {}, { halfClose: 'hold' }, false],
    ['is what the server says, not the outbound', { halfClose: 'hold' }, { halfClose: 'propagate' }, true],
  ] as const)('%s', async (_, settings, server, isPassedOn) => {
    await using run = await Case.start(wire, OK, { settings, server, policy: { downlinkOnlyMs: 200 } })
    await run.session.opened()
    const peer = await run.peer
    await run.session.link.client.fin()
    await peer.expect(PAYLOAD)
    if (isPassedOn) await peer.expectEnd()
    else await peer.expectSilence(60)
    await peer.send('late')
    await run.session.link.client.expect('late')
    await peer.fin()
    await run.session.ended('closed')
  })
})
