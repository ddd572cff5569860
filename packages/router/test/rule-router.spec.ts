import { describe, expect, it } from 'vitest'
import { ProxyError, tcp, type Context, type OutboundManager, type Resolver } from '@sluice/core'
import { RuleRouter, type Health, type Observatory, type RoutingSettings } from '../src/index.js'
import { seenValue } from '../src/seen-value.js'
import { factsOf } from './facts.js'

const outbounds: OutboundManager = { default: undefined, get: () => undefined, tags: ['up-1', 'up-2', 'up-3', 'direct'] }

function resolving(addresses: Record<string, string[]>): Resolver & { readonly asked: string[] } {
  const asked: string[] = []
  return {
    asked,
    async resolve(name) {
      asked.push(name)
      const found = addresses[name]
      if (found === undefined) throw new ProxyError('DNS', 'no such name')
      return found
    },
  }
}

function session(host: string, facts: Partial<Context> = {}): Context {
  return {
    id: '1', inboundTag: 'in', target: tcp(host, 443), signal: new AbortController().signal,
    record: { startedAt: 0, uplinkBytes: 0, downlinkBytes: 0, attempts: 0 }, ...facts,
  }
}

const lan: RoutingSettings['rules'] = [{ ip: ['10.0.0.0/8'], outboundTag: 'direct' }]

describe('RuleRouter', () => {
  it('wants every condition of a rule, and any value of each', async () => {
    const router = new RuleRouter({
      rules: [{ domain: ['full:a.test', 'full:b.test'], port: '443', user: 'ann, bob', source: '10.0.0.0/8', outboundTag: 'direct' }],
    }, outbounds, resolving({}))
    const bob = { user: { name: 'bob', level: 0 }, source: { host: '10.1.1.1', port: 5 } }
    expect(router.route(session('b.test', bob))).toEqual({ outboundTag: 'direct', rule: 'rules[0]' })
    expect(router.route(session('c.test', bob))).toBeUndefined()
    expect(router.route(session('a.test', { ...bob, user: { name: 'eve', level: 0 } }))).toBeUndefined()
    expect(router.route(session('a.test', { ...bob, source: { host: '11.1.1.1', port: 5 } }))).toBeUndefined()
    expect(router.route(session('a.test', { ...bob, target: tcp('a.test', 80) }))).toBeUndefined()
    expect(router.route(session('a.test'))).toBeUndefined()
  })

  it('takes a name in whatever case and with a dot at its end, and the one that was sniffed before the target', () => {
    const router = new RuleRouter({ rules: [{ domain: ['full:a.test'], outboundTag: 'direct' }, { domain: ['1'], outboundTag: 'up-1' }] }, outbounds, resolving({}))
    for (const host of ['A.test', 'a.test.']) expect(router.route(session(host))).toMatchObject({ outboundTag: 'direct' })
    expect(router.route(session('192.0.2.1', { sniffed: { protocol: 'tls', domain: 'a.test' } }))).toMatchObject({ outboundTag: 'direct' })
    expect(router.route(session('192.0.2.1', { sniffed: { protocol: 'tls' } }))).toBeUndefined()
  })

  it('has a sniffer that knows whether there are rules on names and protocols', () => {
    const sniffer = (rules: RoutingSettings['rules'] = [], domainsExcluded: string[] = []) =>
      new RuleRouter({ rules }, outbounds, resolving({})).sniffer({ destOverride: ['http'], routeOnly: true, domainsExcluded })
    expect(sniffer().wants(session('192.0.2.1'))).toBe(false)
    const byName = sniffer([{ domain: 'a', outboundTag: 'direct' }], ['a.test'])
    expect(byName.wants(session('192.0.2.1'))).toBe(true)
    expect(sniffer([{ protocol: 'tls', outboundTag: 'direct' }]).wants(session('a'))).toBe(true)
    const read = (host: string) => byName.read(Buffer.from(`GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`), session('192.0.2.1'))
    expect([read('a.test'), read('b.a.test')]).toEqual([{ protocol: 'http' }, { protocol: 'http', domain: 'b.a.test' }])
    expect(() => sniffer([], ['regexp:('])).toThrow('domainsExcluded: has a value that is no regular expression')
    const router = new RuleRouter({}, outbounds, resolving({}))
    expect(router.sniffer({ destOverride: ['tls'], ipsExcluded: ['192.0.2.0/24'] }).wants(session('192.0.2.1'))).toBe(false)
    expect(() => router.sniffer({ ipsExcluded: ['x'] })).toThrow('ipsExcluded: has a value that is neither an IP address nor a CIDR')
  })

  it('T11 resolves nothing with AsIs', () => {
    const resolver = resolving({ 'lan.test': ['10.0.0.1'] })
    const router = new RuleRouter({ rules: lan }, outbounds, resolver)
    expect(router.route(session('lan.test'))).toBeUndefined()
    expect(router.route(session('10.0.0.1'))).toMatchObject({ outboundTag: 'direct' })
    expect(resolver.asked).toEqual([])
  })

  it('resolves with IPIfNonMatch only where no rule has matched', async () => {
    const resolver = resolving({ 'lan.test': ['8.8.8.8', '10.0.0.1'] })
    const rules: RoutingSettings['rules'] = [...lan, { domain: ['full:known.test'], outboundTag: 'up-1' }]
    const router = new RuleRouter({ rules, domainStrategy: 'IPIfNonMatch' }, outbounds, resolver)
    expect(router.route(session('known.test'))).toMatchObject({ outboundTag: 'up-1' })
    expect(resolver.asked).toEqual([])
    expect(await router.route(session('lan.test'))).toMatchObject({ outboundTag: 'direct' })
    expect(await router.route(session('gone.test'))).toBeUndefined()
    expect(resolver.asked).toEqual(['lan.test', 'gone.test'])
  })

  it('resolves with IPOnDemand when a rule on addresses is reached', async () => {
    const resolver = resolving({ 'known.test': ['10.0.0.1'] })
    const known = { domain: ['full:known.test'], outboundTag: 'up-1' } as const
    expect(await new RuleRouter({ rules: [...lan, known], domainStrategy: 'IPOnDemand' }, outbounds, resolver).route(session('known.test'))).toMatchObject({ outboundTag: 'direct' })
    expect(resolver.asked).toEqual(['known.test'])
    expect(await new RuleRouter({ rules: [known, ...lan], domainStrategy: 'IPOnDemand' }, outbounds, resolver).route(session('known.test'))).toMatchObject({ outboundTag: 'up-1' })
    expect(resolver.asked).toEqual(['known.test'])
  })

  it('rejects with the session\'s reason when it is cancelled while a name is resolved', async () => {
    const controller = new AbortController()
    const reason = new Error('gone')
    const resolver: Resolver = { resolve: () => { controller.abort(reason); return Promise.reject(reason) } }
    const router = new RuleRouter({ rules: lan, domainStrategy: 'IPOnDemand' }, outbounds, resolver)
    await expect(router.route(session('a.test', { signal: controller.signal }))).rejects.toBe(reason)
  })

  it('lets a balancer pick in turn, at random, or fall back', () => {
    const rules = [{ network: 'tcp', balancerTag: 'b' }] as const
    const picks = (balancer: object): string[] => {
      const router = new RuleRouter({ rules, balancers: [{ tag: 'b', selector: ['up'], ...balancer }] }, outbounds, resolving({}))
      return Array.from({ length: 60 }, () => (router.route(session('a')) as { outboundTag: string }).outboundTag)
    }
    expect(picks({ strategy: { type: 'roundRobin' } }).slice(0, 4)).toEqual(['up-1', 'up-2', 'up-3', 'up-1'])
    expect(new Set(picks({}))).toEqual(new Set(['up-1', 'up-2', 'up-3']))
    expect(new Set(picks({ selector: ['x'], fallbackTag: 'direct' }))).toEqual(new Set(['direct']))
  })

  it('explains what it resolved and among whom a balancer picks', async () => {
    const rules: RoutingSettings['rules'] = [...lan, { network: 'tcp', balancerTag: 'b' }]
    const settings = { rules, balancers: [{ tag: 'b', selector: ['up'], strategy: { type: 'leastPing' } }] } as const
    const alive = (rttMs: number): Health => ({ alive: true, rttMs, deviationMs: 0, failed: 0 })
    const observatory: Observatory = { health: (tag) => ({ 'up-1': alive(30), 'up-2': alive(20) })[tag] }
    const resolver = resolving({ 'a.test': ['8.8.8.8'] })
    const router = new RuleRouter({ ...settings, domainStrategy: 'IPOnDemand' }, outbounds, resolver, [observatory])
    expect(await router.explain(session('a.test'))).toEqual({
      route: { outboundTag: 'up-2', rule: 'rules[1]' },
      addresses: ['8.8.8.8'],
      rules: [
        { rule: 'rules[0]', verdict: { failed: 'ip', seen: '8.8.8.8' } },
        { rule: 'rules[1]', verdict: 'wins', balancer: {
          tag: 'b', picked: 'up-2', members: [{ tag: 'up-1', health: alive(30) }, { tag: 'up-2', health: alive(20) }, { tag: 'up-3' }],
        } },
      ],
    })
    const asIs = new RuleRouter(settings, outbounds, resolver, [observatory])
    expect(await asIs.explain(session('a.test'))).toMatchObject({ rules: [{ verdict: { failed: 'ip', seen: 'not resolved' } }, {}] })
    const nonMatch = new RuleRouter({ rules: lan, domainStrategy: 'IPIfNonMatch' }, outbounds, resolver)
    expect(await nonMatch.explain(session('gone.test'))).toEqual({
      route: undefined, addresses: [], rules: [{ rule: 'rules[0]', verdict: { failed: 'ip', seen: 'none, the name does not resolve' } }],
    })
  })

  it('says of each condition what it saw', () => {
    const facts = factsOf('a.test')
    const keys = ['inboundTag', 'network', 'protocol', 'user', 'port', 'sourcePort', 'source', 'attrs', 'domain']
    expect(keys.map((key) => seenValue(key, facts))).toEqual([
      'an inbound without a tag', 'tcp', 'not known', 'nobody', '443', 'not known', 'not known', 'no plain HTTP request', 'a.test',
    ])
    const http = { method: 'GET', scheme: 'http', path: '/a', headers: [] }
    const known = factsOf('a', undefined, { inboundTag: 'in', user: { name: 'ann', level: 0 }, source: { host: '10.0.0.1', port: 5 }, http })
    expect(keys.map((key) => seenValue(key, { ...known, name: undefined }))).toEqual([
      'in', 'tcp', 'http', 'ann', '443', '5', '10.0.0.1', 'GET /a', 'an address, which has no name',
    ])
  })

  it('resolves with IPOnDemand only where addresses decide', async () => {
    const resolver = resolving({ 'a.test': ['10.0.0.1'] })
    const router = new RuleRouter({ rules: [{ ip: '10.0.0.0/8', port: 80, outboundTag: 'direct' }], domainStrategy: 'IPOnDemand' }, outbounds, resolver)
    expect(await router.route(session('a.test'))).toBeUndefined()
    expect(resolver.asked).toEqual([])
  })

  it('explains which rule wins and why those before it did not', async () => {
    const router = new RuleRouter({
      rules: [{ domain: ['full:b'], outboundTag: 'up-1' }, { inboundTag: 'in', port: 80, outboundTag: 'up-1' }, { network: 'tcp', outboundTag: 'direct', ruleTag: 'rest' }, ...lan],
    }, outbounds, resolving({}))
    expect(await router.explain(session('a'))).toEqual({
      route: { outboundTag: 'direct', rule: 'rest' },
      rules: [
        { rule: 'rules[0]', verdict: { failed: 'domain', seen: 'a' } }, { rule: 'rules[1]', verdict: { failed: 'port', seen: '443' } },
        { rule: 'rest', verdict: 'wins' }, { rule: 'rules[3]', verdict: 'not reached' },
      ],
    })
  })
})
