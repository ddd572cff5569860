import { createInstance, isConfigError, type Context, type Instance } from '@sluice/core'
import { connectTo, leakCounter, pattern, Peer, sha256, until } from '@sluice/testkit'
import { transport } from '@sluice/transport'
import { describe, expect, it } from 'vitest'
import { httpInbound, type HttpInboundSettings } from '../src/index.js'
import { echoOutbound } from './echo-outbound.js'

const ACCOUNTS = [{ user: 'me', pass: 'hush' }]

describe('httpInbound', () => {
  it('carries a session from a listener to an outbound and back, half-close and all', async () => {
    const counter = leakCounter()
    {
      const asked: Context[] = []
      await using instance = createInstance(
        { inbounds: [{ protocol: 'http', tag: 'in', port: 0, settings: { accounts: ACCOUNTS } }], outbounds: [{ protocol: 'echo' }] },
        { modules: [transport, httpInbound, echoOutbound(asked)] },
      )
      await instance.start()
      const client = new Peer(await connectTo(instance.listening[0]?.address.port ?? 0))
      const payload = pattern(300_000)
      await client.send(`CONNECT echo:7 HTTP/1.1\r\nProxy-Authorization: Basic ${Buffer.from('me:hush').toString('base64')}\r\n\r\n`)
      await client.send(payload)
      await client.fin()
      await client.expect('HTTP/1.1 200 Connection established\r\n\r\n')
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

  it.each<[string, HttpInboundSettings, string[]]>([
    ['two accounts of one name', { accounts: [...ACCOUNTS, ...ACCOUNTS] }, ['accounts[1].user']],
    ['C168 a user with a colon', { accounts: [{ user: 'me:hush', pass: 'hush' }] }, ['accounts[0].user']],
    ['an empty user', { accounts: [{ user: '', pass: 'hush' }] }, ['accounts[0].user']],
    ['a level below 0', { userLevel: -1 }, ['userLevel']],
    ['accounts under a name that nobody knows', { clients: ACCOUNTS } as HttpInboundSettings, ['clients']],
  ])('refuses %s, and shows no password', (_, settings, paths) => {
    const faults = faultsOf(settings)
    expect(faults.map(({ path }) => path)).toEqual(paths.map((path) => `inbounds[0].settings.${path}`))
    expect(JSON.stringify(faults)).not.toContain('hush')
  })

  it('takes what v2ray has', () => {
    expect(faultsOf({ accounts: ACCOUNTS, allowTransparent: false, userLevel: 1, timeout: 300 })).toEqual([])
  })

  it('tells that timeout is ignored', () => {
    expect(remarksOn({ timeout: 300 })).toEqual([['warning', 'inbounds[0].settings.timeout']])
    expect(remarksOn({ accounts: ACCOUNTS })).toEqual([])
  })

  it('T1 is refused on a public address unless it authenticates', () => {
    expect(faultsOf({ accounts: [] }, '0.0.0.0').map(({ path }) => path)).toEqual(['inbounds[0].listen'])
    expect(faultsOf({ accounts: ACCOUNTS }, '0.0.0.0')).toEqual([])
  })

  it('claims connections that start with an upper-case letter', () => {
    expect(String.fromCharCode(...[...Array(256).keys()].filter((byte) => httpInbound.claims?.(byte)))).toBe('ABCDEFGHIJKLMNOPQRSTUVWXYZ')
  })
})

function instanceWith(settings: HttpInboundSettings, listen = '127.0.0.1'): Instance {
  const inbounds = [{ protocol: 'http', port: 0, listen, settings }] as const
  return createInstance({ inbounds, outbounds: [{ protocol: 'echo' }] }, { modules: [transport, httpInbound, echoOutbound([])] })
}

function remarksOn(settings: HttpInboundSettings): [string, string][] {
  return instanceWith(settings).remarks.filter(({ path }) => path.includes('settings')).map(({ severity, path }) => [severity, path])
}

function faultsOf(settings: HttpInboundSettings, listen?: string): { path: string }[] {
  try {
    instanceWith(settings, listen)
    return []
  } catch (error) {
    if (isConfigError(error)) return [...error.faults]
    throw error
  }
}
