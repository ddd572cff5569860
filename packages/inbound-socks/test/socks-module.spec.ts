import { createInstance, isConfigError, type Context, type Instance } from '@sluice/core'
import { connectTo, leakCounter, pattern, Peer, sha256, until } from '@sluice/testkit'
import { transport } from '@sluice/transport'
import { describe, expect, it } from 'vitest'
import { socksInbound, type SocksInboundSettings } from '../src/index.js'
import { echoOutbound } from './echo-outbound.js'

const ACCOUNTS = [{ user: 'me', pass: 'hush' }]

describe('socksInbound', () => {
  it('carries a session from a listener to an outbound and back, half-close and all', async () => {
    const counter = leakCounter()
    {
      const asked: Context[] = []
      const settings = { auth: 'password', accounts: ACCOUNTS } as const
      await using instance = createInstance(
        { inbounds: [{ protocol: 'socks', tag: 'in', port: 0, settings }], outbounds: [{ protocol: 'echo' }] },
        { modules: [transport, socksInbound, echoOutbound(asked)] },
      )
      await instance.start()
      const client = new Peer(await connectTo(instance.listening[0]?.address.port ?? 0))
      const payload = pattern(300_000)
      await client.send(Buffer.from('\x05\x01\x02\x01\x02me\x04hush\x05\x01\x00\x03\x04echo\x00\x07', 'latin1'))
      await client.send(payload)
      await client.fin()
      await client.expect(Buffer.from('\x05\x02\x01\x00\x05\x00\x00\x01\x00\x00\x00\x00\x00\x00', 'latin1'))
      expect(sha256(await client.expectBytes(payload.length))).toBe(sha256(payload))
      await client.expectEnd()
      await until(() => instance.connections().length === 0, 'the session to end')
      expect(asked).toMatchObject([{
        target: { network: 'tcp', host: 'echo', port: 7 }, user: { name: 'me', level: 0 }, inboundTag: 'in', source: { host: '127.0.0.1' },
        record: { uplinkBytes: payload.length, downlinkBytes: payload.length, outcome: 'closed' },
      }])
    }
    await counter.expectNoLeaks()
  })

  it.each([
    ['4', '\x04\x01\x00\x07\x7f\x00\x00\x01me\x00', '127.0.0.1'], ['4a', '\x04\x01\x00\x07\x00\x00\x00\x01me\x00echo\x00', 'echo'],
  ])('carries a session of SOCKS %s', async (_, request, host) => {
    const asked: Context[] = []
    await using instance = createInstance(
      { inbounds: [{ protocol: 'socks', port: 0 }], outbounds: [{ protocol: 'echo' }] },
      { modules: [transport, socksInbound, echoOutbound(asked)] },
    )
    await instance.start()
    const client = new Peer(await connectTo(instance.listening[0]?.address.port ?? 0))
    const payload = pattern(300_000)
    await client.send(Buffer.from(request, 'latin1'))
    await client.send(payload)
    await client.fin()
    await client.expect(Buffer.from('\x00\x5a\x00\x00\x00\x00\x00\x00', 'latin1'))
    expect(sha256(await client.expectBytes(payload.length))).toBe(sha256(payload))
    await client.expectEnd()
    expect(asked).toMatchObject([{ target: { network: 'tcp', host, port: 7 } }])
  })

  it.each<[string, SocksInboundSettings, string[]]>([
    ['accounts that nobody is asked for', { accounts: ACCOUNTS }, ['auth']],
    ['a password from nobody', { auth: 'password' }, ['accounts']],
    ['two accounts of one name', { auth: 'password', accounts: [...ACCOUNTS, ...ACCOUNTS] }, ['accounts[1].user']],
    ['a user of 256 bytes', { auth: 'password', accounts: [{ user: 'é'.repeat(128), pass: 'hush' }] }, ['accounts[0].user']],
    ['a password of 256 bytes', { auth: 'password', accounts: [{ user: 'me', pass: 'h'.repeat(256) }] }, ['accounts[0].pass']],
    ['an unknown kind of authentication', { auth: 'gssapi' as 'noauth' }, ['auth']],
    ['a level below 0', { userLevel: -1 }, ['userLevel']],
    ['an account without a password', { auth: 'password', accounts: [{ user: 'me' } as typeof ACCOUNTS[0]] }, ['accounts[0].pass']],
  ])('refuses %s, and shows no password', (_, settings, paths) => {
    const faults = faultsOf(settings)
    expect(faults.map(({ path }) => path)).toEqual(paths.map((path) => `inbounds[0].settings.${path}`))
    expect(JSON.stringify(faults)).not.toMatch(/hush|hhh/)
  })

  it('takes what v2ray has', () => {
    expect(faultsOf({ auth: 'password', accounts: ACCOUNTS, udp: true, ip: '127.0.0.1', userLevel: 1 })).toEqual([])
    expect(faultsOf({ auth: 'noauth', accounts: [] })).toEqual([])
  })

  it('tells that udp is ignored', () => {
    expect(remarksOn({ udp: true })).toEqual([['warning', 'inbounds[0].settings.udp']])
    expect(remarksOn({ udp: false, ip: '127.0.0.1' })).toEqual([])
  })

  it('T1 is refused on a public address unless it authenticates', () => {
    expect(faultsOf({ udp: true }, '0.0.0.0').map(({ path }) => path)).toEqual(['inbounds[0].settings.udp', 'inbounds[0].listen'])
    expect(faultsOf({ auth: 'password', accounts: ACCOUNTS }, '0.0.0.0')).toEqual([])
  })

  it('claims connections that start with a version of SOCKS', () => {
    expect([...Array(256).keys()].filter((byte) => socksInbound.claims?.(byte))).toEqual([4, 5])
  })
})

function instanceWith(settings: SocksInboundSettings, listen = '127.0.0.1'): Instance {
  const inbounds = [{ protocol: 'socks', port: 0, listen, settings }] as const
  return createInstance({ inbounds, outbounds: [{ protocol: 'echo' }] }, { modules: [transport, socksInbound, echoOutbound([])] })
}

function remarksOn(settings: SocksInboundSettings): [string, string][] {
  return instanceWith(settings).remarks.filter(({ path }) => path.includes('settings')).map(({ severity, path }) => [severity, path])
}

function faultsOf(settings: SocksInboundSettings, listen?: string): { path: string }[] {
  try {
    instanceWith(settings, listen)
    return []
  } catch (error) {
    if (isConfigError(error)) return [...error.faults]
    throw error
  }
}
