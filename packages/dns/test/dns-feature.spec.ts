import { createInstance, defineOutbound, defineTransport, RESOLVER, type Resolver } from '@sluice/core'
import { describe, expect, it } from 'vitest'
import { dnsFeature, type DnsSettings } from '../src/index.js'
import { parseServer } from '../src/parse-server.js'
import { faultsOf, lookUp, resolverOf } from './instance.js'

declare module '@sluice/core' {
  interface OutboundSettings { needy: Record<string, never> }
}

describe('the section dns', () => {
  it('has all of its faults told, each with its place', () => {
    expect(faultsOf({
      hosts: { 'a.test': ['1.1.1.1', 'b.test'] },
      servers: ['dns.test', { address: 'quic://1.1.1.1', clientIp: '1.2.3.4' }],
      tag: 'dns',
    })).toEqual([
      'warning dns.tag: is ignored: questions go straight to the servers, and no rule sees them',
      'error dns.hosts["a.test"]: must be addresses, or one other name',
      'error dns.servers[0]: "dns.test" must be an IP address, or its name would have to be resolved first',
      'error dns.servers[1].address: "quic://1.1.1.1" has the unknown scheme "quic://"; known are tcp, https and https+local',
      'warning dns.servers[1].clientIp: is ignored: no server is told whose question it is',
    ])
    expect(faultsOf({ hosts: { 'regexp:a': '1.1.1.1' }, servers: [{ address: '1.1.1.1', domains: ['geosite:cn'], expectIPs: ['10.0.0.0/33'] }] })).toEqual([
      'error dns.servers[0].domains: "geosite:cn" has the form "geosite:", which is not known without the patterns of @sluice/router',
      'error dns.servers[0].expectIPs: "10.0.0.0/33" is neither an IP address nor a CIDR',
      'error dns.hosts["regexp:a"]: "regexp:a" has the form "regexp:", which is not known without the patterns of @sluice/router',
    ])
    expect(faultsOf({ servers: [{ adress: '1.1.1.1' }] })).toHaveLength(1)
    expect(faultsOf({ servers: ['1.1.1.1', 'localhost'], hosts: { a: '1.1.1.1' } })).toEqual([])
  })

  it('reads queryStrategy in whatever spelling', async () => {
    expect(faultsOf({ queryStrategy: 'use_ip4', servers: [{ address: '1.1.1.1', queryStrategy: 'USEIPV6', expectedIPs: ['1.1.1.1'] }, '1.1.1.2'] })).toEqual([])
    expect(faultsOf({ queryStrategy: 'use_ip5', servers: [null] })).toHaveLength(2)
    const resolver = resolverOf({ hosts: {}, servers: ['192.0.2.1'], queryStrategy: 'use-ip-v4' as 'UseIPv4' })
    expect(await lookUp(resolver, 'name.test', 6)).toMatch(/no server has addresses of this family$/)
  })

  it('reads names and addresses by the patterns that it is given', async () => {
    const patterns = { names: () => (name: string) => name === 'odd', addresses: () => () => true }
    const dns: DnsSettings = { hosts: { 'regexp:anything': '10.0.0.1' } }
    expect(faultsOf(dns, { patterns })).toEqual([])
    expect(await lookUp(resolverOf(dns, { patterns }), 'odd')).toEqual(['10.0.0.1'])
  })

  it('is not missed by others where it is faulty itself', () => {
    const needy = defineOutbound({
      protocol: 'needy',
      schema: { type: 'object', additionalProperties: false, properties: {} },
      create: (_, resolve) => ({ process: () => Promise.reject(new Error(String(resolve(RESOLVER)))) }),
    })
    const dns = { servers: [{ address: '1.1.1.1', domains: ['geosite:cn'] }] }
    expect(faultsOf(dns, {}, [needy])).toEqual([expect.stringContaining('dns.servers[0].domains')])
  })

  it('leaves names to the transport where it is absent', () => {
    const schema = { type: 'object', additionalProperties: false, properties: {} } as const
    class Names implements Resolver { resolve = () => Promise.resolve(['10.0.0.1']) }
    class None { create(): never { throw new Error('nothing') } }
    const transport = defineTransport({ schema, dialers: None, listeners: None, resolver: Names })
    expect(createInstance({}, { modules: [transport, dnsFeature] }).get(RESOLVER)).toBeInstanceOf(Names)
    expect(createInstance({ dns: {} }, { modules: [transport, dnsFeature] }).get(RESOLVER)).not.toBeInstanceOf(Names)
  })
})

describe('parseServer()', () => {
  it.each([
    ['8.8.8.8', { kind: 'udp', host: '8.8.8.8', port: 53 }], ['8.8.8.8:5353', { kind: 'udp', host: '8.8.8.8', port: 5353 }],
    ['::1', { kind: 'udp', host: '::1', port: 53 }], ['[::1]:54', { kind: 'udp', host: '::1', port: 54 }],
    ['tcp://8.8.8.8', { kind: 'tcp', host: '8.8.8.8', port: 53 }], ['tcp+local://8.8.8.8:54', { kind: 'tcp', host: '8.8.8.8', port: 54 }],
    ['LocalHost', { kind: 'system' }], ['https+local://a.test/q', { kind: 'https', url: new URL('https://a.test/q') }],
    ['a.test', expect.any(String)], ['8.8.8.8:0', expect.any(String)], ['8.8.8.8:70000', expect.any(String)], ['', expect.any(String)],
    ['https://u:p@a.test/', 'must not hold credentials'], ['https://', 'is no URL'], ['h2c://a.test/', expect.stringContaining('unknown scheme "h2c://"')],
  ])('reads %j', (address, expected) => {
    expect(parseServer({ address })).toEqual(expected)
  })

  it('takes the port beside it where the address has none', () => {
    expect(parseServer({ address: '8.8.8.8', port: '54' })).toMatchObject({ port: 54 })
    expect(parseServer({ address: 'https://a.test/', port: 444 })).toMatchObject({ url: new URL('https://a.test:444/') })
  })
})
