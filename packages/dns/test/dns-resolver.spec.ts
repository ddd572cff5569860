import { createCertificates, until } from '@sluice/testkit'
import { describe, expect, it } from 'vitest'
import { lookUp, resolverOf } from './instance.js'
import { scriptedDns, scriptedDoh, type Reply } from './scripted-dns.js'

const both: Reply = { addresses: ['192.0.2.1', '2001:db8::1', '192.0.2.2'] }
const at = (port: number): string => `127.0.0.1:${port}`

describe('DnsResolver', () => {
  it('asks for both families, or for those that are wanted', async () => {
    await using server = await scriptedDns(() => both)
    const resolver = resolverOf({ servers: [at(server.port)] })
    expect(await lookUp(resolver, 'Name.test.')).toEqual(['192.0.2.1', '192.0.2.2', '2001:db8::1'])
    expect(await lookUp(resolver, 'name.test', 4)).toEqual(['192.0.2.1', '192.0.2.2'])
    expect(await lookUp(resolver, 'name.test', 6)).toEqual(['2001:db8::1'])
    expect(server.asked.sort()).toEqual(['udp A name.test', 'udp AAAA name.test'])
    const onlyV6 = resolverOf({ servers: [at(server.port)], queryStrategy: 'UseIPv6' })
    expect(await lookUp(onlyV6, 'name.test')).toEqual(['2001:db8::1'])
    expect(await lookUp(onlyV6, 'name.test', 4)).toBe('DNS Cannot resolve "name.test": no server has addresses of this family')
  })

  it('resolves no address, and refuses what is no host name', async () => {
    const resolver = resolverOf({ servers: ['192.0.2.53'] })
    expect(await lookUp(resolver, '10.0.0.1')).toEqual(['10.0.0.1'])
    expect(await lookUp(resolver, '10.0.0.1', 6)).toMatch(/^DNS .*no address of this family$/)
    for (const name of ['', 'a..b', 'x'.repeat(64), `${'a.'.repeat(130)}b`, 'a b']) expect(await lookUp(resolver, name)).toMatch(/^DNS .*this is no host name$/)
  })

  it('keeps an answer for its time to live, an absence too where its SOA says so', async () => {
    let now = 0
    await using server = await scriptedDns((name) => (name === 'gone.test' ? { rcode: 3, addresses: [], soa: 30 } : { addresses: ['192.0.2.1'], ttl: 10 }))
    const resolver = resolverOf({ servers: [at(server.port)], queryStrategy: 'UseIPv4' }, { now: () => now })
    const ask = async (): Promise<number> => {
      await lookUp(resolver, 'name.test')
      await lookUp(resolver, 'gone.test')
      return server.asked.length
    }
    expect(await ask()).toBe(2)
    now = 9_999
    expect(await ask()).toBe(2)
    now = 10_000
    expect(await ask()).toBe(3)
    now = 30_000
    expect(await ask()).toBe(5)
    const forgetful = resolverOf({ servers: [at(server.port)], queryStrategy: 'UseIPv4', disableCache: true })
    await lookUp(forgetful, 'name.test')
    await lookUp(forgetful, 'name.test')
    expect(server.asked).toHaveLength(7)
  })

  it('asks once for all who want the same at the same time, and gives up when the last has left', async () => {
    await using server = await scriptedDns((name) => (name === 'slow.test' ? 'nothing' : both))
    const resolver = resolverOf({ servers: [at(server.port)], queryStrategy: 'UseIPv4', disableCache: true })
    await Promise.all([1, 2, 3].map(() => lookUp(resolver, 'name.test')))
    expect(server.asked).toEqual(['udp A name.test'])
    const controllers = [new AbortController(), new AbortController()]
    const waiting = controllers.map(({ signal }) => resolver.resolve('slow.test', { family: 0, signal }))
    await until(() => server.asked.length === 2, 'the question')
    controllers[0]?.abort('first')
    await expect(waiting[0]).rejects.toBe('first')
    controllers[1]?.abort('second')
    await expect(waiting[1]).rejects.toBe('second')
    await expect(resolver.resolve('name.test', { family: 0, signal: AbortSignal.abort('before') })).rejects.toBe('before')
  })

  it('passes over what others answer, and asks by TCP where the answer is cut', async () => {
    await using server = await scriptedDns((_, __, transport) => (transport === 'tcp' ? both : 'truncated'))
    expect(await lookUp(resolverOf({ servers: [at(server.port)] }), 'name.test', 4)).toEqual(['192.0.2.1', '192.0.2.2'])
    expect(server.asked).toEqual(['udp A name.test', 'tcp A name.test'])
    await using liar = await scriptedDns(() => 'wrong id')
    const resolver = resolverOf({ servers: [{ address: '127.0.0.1', port: liar.port, timeoutMs: 60 }] })
    expect(await lookUp(resolver, 'name.test', 4)).toBe(`DNS Cannot resolve "name.test": server ${at(liar.port)} gave no answer within 60 ms`)
  })

  it.each<[string, Reply, string]>([
    ['SERVFAIL', { rcode: 2 }, 'answered SERVFAIL'],
    ['nonsense', Buffer.from([0, 1, 255]), 'answered what is no DNS message'],
    ['nobody', { rcode: 3, addresses: [] }, 'has no address of it that is wanted'],
  ])('says of %s what it is', async (_, reply, why) => {
    await using server = await scriptedDns(() => reply)
    expect(await lookUp(resolverOf({ servers: [at(server.port)] }), 'name.test', 4)).toBe(`DNS Cannot resolve "name.test": server ${at(server.port)} ${why}`)
  })

  it('asks by TCP alone where it is told so, and survives one that hangs up', async () => {
    await using server = await scriptedDns((name) => (name === 'hang.test' ? 'nothing' : both))
    const resolver = resolverOf({ servers: [`tcp://${at(server.port)}`] })
    expect(await lookUp(resolver, 'name.test', 4)).toEqual(['192.0.2.1', '192.0.2.2'])
    expect(await lookUp(resolver, 'hang.test', 4)).toMatch(/closed the connection without an answer$/)
    expect(server.asked).toEqual(['tcp A name.test', 'tcp A hang.test'])
  })

  it('asks the system for what it knows itself', async () => {
    const resolver = resolverOf({ servers: ['localhost'] })
    expect(await lookUp(resolver, 'localhost', 4)).toEqual(['127.0.0.1'])
    expect(await lookUp(resolverOf({}), 'localhost', 4)).toEqual(['127.0.0.1'])
  })
})

describe('DnsResolver with several servers', () => {
  it('goes on to the next where one fails, has nothing, or nothing that is expected', async () => {
    await using broken = await scriptedDns(() => ({ rcode: 5 }))
    await using empty = await scriptedDns(() => ({ addresses: [] }))
    await using unexpected = await scriptedDns(() => ({ addresses: ['198.51.100.1'] }))
    await using good = await scriptedDns(() => ({ addresses: ['192.0.2.9'] }))
    const resolver = resolverOf({
      servers: [at(broken.port), at(empty.port), { address: '127.0.0.1', port: unexpected.port, expectIPs: ['192.0.2.0/24'] }, at(good.port)],
    })
    expect(await lookUp(resolver, 'name.test')).toEqual(['192.0.2.9'])
    for (const { asked } of [broken, empty, unexpected, good]) expect(asked).toHaveLength(2)
  })

  it('asks those first whose own a name is, and others only as they allow', async () => {
    const script = (address: string) => (name: string): Reply => ({ addresses: name === 'lost.test' ? [] : [address] })
    await using first = await scriptedDns(script('192.0.2.1'))
    await using own = await scriptedDns(script('192.0.2.2'))
    const servers = [{ address: '127.0.0.1', port: first.port }, { address: '127.0.0.1', port: own.port, domains: ['domain:own.test', 'full:lost.test'], skipFallback: true }]
    const resolver = resolverOf({ servers, queryStrategy: 'UseIPv4', disableCache: true })
    expect(await lookUp(resolver, 'a.own.test')).toEqual(['192.0.2.2'])
    expect(await lookUp(resolver, 'else.test')).toEqual(['192.0.2.1'])
    await lookUp(resolver, 'lost.test')
    expect(first.asked).toEqual(['udp A else.test', 'udp A lost.test'])
    expect(own.asked).toEqual(['udp A a.own.test', 'udp A lost.test'])
    for (const more of [{ disableFallback: true }, { disableFallbackIfMatch: true }]) {
      await lookUp(resolverOf({ servers, queryStrategy: 'UseIPv4', ...more }), 'lost.test')
      expect(first.asked).toHaveLength(2)
    }
    expect(await lookUp(resolverOf({ servers, queryStrategy: 'UseIPv4', disableFallback: true }), 'else.test')).toEqual(['192.0.2.1'])
  })
})

describe('DnsResolver by HTTPS', () => {
  it('asks as RFC 8484 says, over one connection', async () => {
    const certificates = await createCertificates()
    await using server = await scriptedDoh(await certificates.issue(), () => both)
    const resolver = resolverOf({ servers: [`https+local://localhost:${server.port}/dns-query`], queryStrategy: 'UseIPv4' }, { ca: certificates.ca.certPem })
    expect(await lookUp(resolver, 'a.test')).toEqual(['192.0.2.1', '192.0.2.2'])
    expect(await lookUp(resolver, 'b.test')).toEqual(['192.0.2.1', '192.0.2.2'])
    expect(server.asked).toEqual(['a', 'b'].map((name) => `POST /dns-query application/dns-message 0 A ${name}.test`))
    expect(server.connections()).toBe(1)
    await resolver.close?.()
  })

  it('T11 refuses a certificate that nobody vouches for, a bad status, too much, and silence', async () => {
    const certificates = await createCertificates()
    const { certPem } = certificates.ca
    await using server = await scriptedDoh(await certificates.issue(), (name) => {
      if (name === 'status.test') return Buffer.from([500 >> 8, 500 & 255])
      if (name === 'much.test') return Buffer.concat([Buffer.from([0, 200]), Buffer.alloc(70_000)])
      return name === 'silent.test' ? 'nothing' : both
    })
    const servers = [{ address: `https://localhost:${server.port}/`, timeoutMs: 400 }]
    const ask = async (name: string, ca?: string): Promise<unknown> => {
      const resolver = resolverOf({ servers, queryStrategy: 'UseIPv4' }, ca === undefined ? {} : { ca })
      const result = await lookUp(resolver, name)
      await resolver.close?.()
      return result
    }
    expect(await ask('a.test')).toMatch(/^DNS .*certificate/)
    expect(await ask('status.test', certPem)).toMatch(/answered with the HTTP status 500$/)
    expect(await ask('much.test', certPem)).toMatch(/answered with more than a DNS message can hold$/)
    expect(await ask('silent.test', certPem)).toMatch(/gave no answer within 400 ms$/)
  })
})

describe('hosts', () => {
  it('stand before servers, exact names before patterns, and may name another name', async () => {
    await using server = await scriptedDns(() => both)
    const resolver = resolverOf({
      servers: [at(server.port)], queryStrategy: 'UseIPv4',
      hosts: {
        'keyword:lan': '10.0.0.1', 'printer.lan': ['10.0.0.7', 'fd00::7'], 'domain:ads.test': '127.0.0.1', 'full:other.test': 'Target.test', 'loop.test': 'loop.test',
        'chain.test': 'other.test',
      },
    })
    expect(await lookUp(resolver, 'printer.lan')).toEqual(['10.0.0.7', 'fd00::7'])
    expect(await lookUp(resolver, 'printer.lan', 6)).toEqual(['fd00::7'])
    expect(await lookUp(resolver, 'x.lan')).toEqual(['10.0.0.1'])
    expect(await lookUp(resolver, 'x.lan', 6)).toMatch(/^DNS /)
    expect(await lookUp(resolver, 'a.ads.test')).toEqual(['127.0.0.1'])
    expect(server.asked).toEqual([])
    await lookUp(resolver, 'chain.test')
    await lookUp(resolver, 'loop.test')
    expect(server.asked).toEqual(['udp A target.test', 'udp A loop.test'])
  })
})
