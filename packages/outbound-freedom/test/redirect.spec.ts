import { describe, expect, it } from 'vitest'
import { ProxyError, tcp, type Connection, type Dialer, type Resolver } from '@sluice/core'
import { startTarget, tcpPair, testContext, testPolicies } from '@sluice/testkit'
import { FreedomOutbound, freedomOutbound, type FreedomOutboundSettings } from '../src/index.js'
import { parseRedirect, redirected } from '../src/redirect.js'

const addresses: Resolver = {
  resolve: async (_name, { family }) => (family === 6 ? ['::1'] : family === 4 ? ['127.0.0.1'] : ['::1', '127.0.0.1']),
}

/** What is dialled for a target, by a dialer that refuses all but the last address. */
async function dialledFor(settings: FreedomOutboundSettings, host: string, answering = '127.0.0.1'): Promise<string[]> {
  const dialled: string[] = []
  const [client, server] = await tcpPair()
  const dialer: Dialer = {
    async dial(to): Promise<Connection> {
      dialled.push(`${to.host} ${to.port}`)
      if (to.host !== answering) throw new ProxyError('DIAL', 'refused')
      return client
    },
  }
  const outbound = new FreedomOutbound(settings, testPolicies(), addresses)
  await outbound.connect(testContext({ target: tcp(host, 80) }), dialer).catch((error: ProxyError) => dialled.push(error.code))
  client.destroy()
  server.destroy()
  return dialled
}

describe('parseRedirect()', () => {
  it.each([
    ['a:1', { host: 'a', port: 1 }], [':443', { port: 443 }], ['h:0', { host: 'h' }], ['[::1]:0', { host: '::1' }],
    ['', undefined], ['h', undefined], [':0', undefined], ['h:70000', undefined], ['::1:0', undefined], ['h:-1', undefined],
  ])('reads %j as %j', (text, value) => {
    expect(parseRedirect(text)).toEqual(value)
  })
})

describe('redirected()', () => {
  it('keeps what the redirection leaves open', () => {
    expect(redirected(tcp('a', 1), { port: 2 })).toEqual(tcp('a', 2))
    expect(redirected(tcp('a', 1), { host: 'b' })).toEqual(tcp('b', 1))
  })
})

describe('FreedomOutbound', () => {
  it('leaves the name to the dialer with AsIs', async () => {
    expect(await dialledFor({}, 'name.test', 'name.test')).toEqual(['name.test 80'])
  })

  it('asks the resolver otherwise, and tries the addresses in order', async () => {
    expect(await dialledFor({ domainStrategy: 'UseIP' }, 'name.test')).toEqual(['::1 80', '127.0.0.1 80'])
    expect(await dialledFor({ domainStrategy: 'UseIPv4' }, 'name.test')).toEqual(['127.0.0.1 80'])
    expect(await dialledFor({ domainStrategy: 'UseIPv6' }, 'name.test')).toEqual(['::1 80', 'DIAL'])
    expect(await dialledFor({ domainStrategy: 'UseIPv4v6' }, 'name.test', 'none')).toEqual(['127.0.0.1 80', '::1 80', 'DIAL'])
    expect(await dialledFor({ domainStrategy: 'ForceIPv6v4' }, 'name.test', 'none')).toEqual(['::1 80', '127.0.0.1 80', 'DIAL'])
    expect(await dialledFor({ domainStrategy: 'ForceIPv4' }, 'name.test')).toEqual(['127.0.0.1 80'])
  })

  it('does not resolve an address', async () => {
    expect(await dialledFor({ domainStrategy: 'UseIPv6' }, '127.0.0.1')).toEqual(['127.0.0.1 80'])
  })

  it('redirects before it resolves', async () => {
    expect(await dialledFor({ redirect: '127.0.0.1:0' }, 'name.test')).toEqual(['127.0.0.1 80'])
    await using target = await startTarget('echo')
    expect(await dialledFor({ redirect: `127.0.0.1:${target.port}` }, 'name.test')).toEqual([`127.0.0.1 ${target.port}`])
  })

  it('has a fault for a redirection that cannot be read', () => {
    const faults = freedomOutbound.check?.({ redirect: 'nonsense' }, { inbounds: new Set(), outbounds: new Set() })
    expect(faults).toMatchObject([{ path: 'redirect' }])
  })
})
