import { describe, expect, it } from 'vitest'
import {
  createInstance, DEFAULT_POLICY, Draft, isConfigError, ProxyError, tcp,
  type Config, type Destination, type Dialer, type Instance, type Policy, type PolicyManager, type Resolver,
} from '@sluice/core'
import { closedPort, leakCounter, scriptedUpstream, startTarget, testContext, testLink, testPolicies, until, within } from '@sluice/testkit'
import { transport } from '@sluice/transport'
import { FreedomOutbound, freedomOutbound, type FreedomOutboundSettings } from '../src/index.js'
import { dialer, noNames } from './dialer.js'

/** Level 7 is the quick one. */
const LEVELS: PolicyManager = {
  ...testPolicies(),
  forLevel: (level): Policy => ({ ...DEFAULT_POLICY, ...(level === 7 ? { handshakeMs: 60, connIdleMs: 80 } : { connIdleMs: 3_000 }) }),
}

const freedom = (settings: FreedomOutboundSettings = {}, policies = testPolicies(), resolver = noNames): FreedomOutbound =>
  new FreedomOutbound(settings, policies, resolver)

/** Dials nothing until it is aborted. */
const stuck: Dialer = {
  dial: (_, { signal }) => new Promise((_resolve, reject) => {
    const cancel = (): void => { reject(signal.reason as Error) }
    if (signal.aborted) cancel()
    else signal.addEventListener('abort', cancel, { once: true })
  }),
}

describe('FreedomOutbound', () => {
  it('dials the target itself and tells whom it dials for', async () => {
    await using target = await startTarget('banner')
    const outbound = freedom()
    const ctx = testContext({ target: target.destination })
    const asked: unknown[] = []
    const real = dialer()
    const connection = await outbound.connect(ctx, {
      dial: (to, options) => {
        asked.push([to, options.session])
        return real.dial(to, options)
      },
    })
    expect(asked).toEqual([[target.destination, ctx]])
    expect(ctx.record.attempts).toBe(1)
    expect(ctx.record.server).toBeUndefined()
    await within(1_000, 'the banner', new Promise((resolve) => connection.once('data', resolve)))
    connection.destroy()
  })

  it('C166 refuses UDP, and dials nothing', async () => {
    const ctx = testContext({ target: { network: 'udp', host: '127.0.0.1', port: 53 } })
    await expect(freedom().connect(ctx, stuck)).rejects.toMatchObject({ code: 'UNSUPPORTED', side: 'downstream' })
    expect(ctx.record.attempts).toBe(0)
  })

  it('C043 fails with DIAL when nobody listens, once, with the link untouched', async () => {
    const link = await testLink()
    await link.client.send('hello')
    await until(() => link.reader.readableLength === 5, 'the payload')
    const ctx = testContext({ target: tcp('127.0.0.1', await closedPort()) })
    const counter = leakCounter({ watch: { 'ctx.signal': ctx.signal } })
    await expect(freedom().process(ctx, link, dialer())).rejects.toMatchObject({ code: 'DIAL', side: 'upstream', phase: 'dial' })
    expect(link.opened).toBe(false)
    expect(String(link.reader.read())).toBe('hello')
    expect(ctx.record.attempts).toBe(1)
    await counter.expectNoLeaks(100)
    link.close()
  })

  it.each([
    ['its own', { userLevel: 7 }, { name: 'client', level: 0 }],
    ['the client\'s where it has none', {}, { name: 'client', level: 7 }],
  ])('keeps to the level that is %s: TIMEOUT in the dial after its handshake', async (_, settings, user) => {
    const ctx = testContext({ target: tcp('target.test', 443), user })
    const counter = leakCounter({ watch: { 'ctx.signal': ctx.signal } })
    const startedAt = performance.now()
    await expect(freedom(settings, LEVELS).connect(ctx, stuck)).rejects.toMatchObject({
      code: 'TIMEOUT', phase: 'dial', side: 'upstream', message: 'Target target.test:443 gave no connection within 60 ms',
    })
    expect(performance.now() - startedAt).toBeGreaterThan(55)
    expect(counter.leaks()).toEqual([])
  })

  it('relays with the limits of its level', async () => {
    await using target = await startTarget('silent')
    const link = await testLink()
    const ctx = testContext({ target: target.destination })
    await freedom({ userLevel: 7 }, LEVELS).process(ctx, link, dialer())
    expect(link.opens).toBe(1)
    expect(ctx.record.outcome).toBe('idle')
    link.close()
  })

  it('gives a cancelled dial the reason as it is', async () => {
    const cancelling = new AbortController()
    const ctx = testContext({ target: tcp('target.test', 443), signal: cancelling.signal })
    const opening = freedom().connect(ctx, stuck)
    cancelling.abort('the client left')
    await expect(opening).rejects.toBe('the client left')
  })

  it('gives up a target that does not finish its TLS handshake', async () => {
    await using silent = await scriptedUpstream([])
    const ctx = testContext({ target: silent.destination, user: { name: 'client', level: 7 } })
    await expect(freedom({}, LEVELS).connect(ctx, dialer({}))).rejects.toMatchObject({ code: 'TIMEOUT' })
    const peer = await silent.peer(0)
    await until(() => peer.ended || peer.socket.destroyed, 'the dial to be given up', 100)
  })
})

describe('FreedomOutbound with a domainStrategy', () => {
  const resolver: Resolver = { resolve: async () => ['::1', '127.0.0.1'] }

  it('dials the addresses in turn, within one attempt', async () => {
    await using target = await startTarget('silent')
    const ctx = testContext({ target: tcp('target.test', target.port) })
    const connection = await freedom({ domainStrategy: 'UseIP' }, testPolicies(), resolver).connect(ctx, dialer())
    connection.destroy()
    expect(target.connections).toHaveLength(1)
    expect(ctx.record.attempts).toBe(1)
  })

  it('tells the first failure where no address can be dialled', async () => {
    const ctx = testContext({ target: tcp('target.test', await closedPort()) })
    const opening = freedom({ domainStrategy: 'UseIP' }, testPolicies(), resolver).connect(ctx, dialer())
    await expect(opening).rejects.toMatchObject({ code: 'DIAL', server: expect.stringMatching(/^\[::1\]/) as unknown })
  })

  it('fails as the resolver does, and dials nothing', async () => {
    const failing: Resolver = { resolve: () => Promise.reject(new ProxyError('DNS', 'no such name')) }
    const ctx = testContext({ target: tcp('target.test', 1) })
    const opening = freedom({ domainStrategy: 'UseIP' }, testPolicies(), failing).connect(ctx, stuck)
    await expect(opening).rejects.toMatchObject({ code: 'DNS' })
  })

  it('dials no further address when it is cancelled', async () => {
    const cancelling = new AbortController()
    const ctx = testContext({ target: tcp('target.test', 1), signal: cancelling.signal })
    const dialled: Destination[] = []
    const opening = freedom({ domainStrategy: 'UseIP' }, testPolicies(), resolver).connect(ctx, {
      dial: (to, options) => {
        dialled.push(to)
        cancelling.abort('the client left')
        return stuck.dial(to, options)
      },
    })
    await expect(opening).rejects.toBe('the client left')
    expect(dialled).toHaveLength(1)
  })
})

describe('freedomOutbound', () => {
  const instance = (settings: object): unknown =>
    createInstance({ outbounds: [{ protocol: 'freedom', settings }] } as Config, { modules: [transport, freedomOutbound] })

  it.each([
    ['use_ip4', 'UseIPv4'], ['use-ip-v6', 'UseIPv6'], ['UseIp', 'UseIP'], ['asis', 'AsIs'], ['', 'AsIs'], ['forceipv46', 'ForceIPv4v6'],
  ])('reads the domainStrategy %j as %s', (written, strategy) => {
    const draft = new Draft({ domainStrategy: written })
    expect(freedomOutbound.upgrade?.(draft.root as Record<string, unknown>, draft)).toEqual([])
    expect(draft.root).toEqual({ domainStrategy: strategy })
  })

  it('reads what Xray and old configs have beside it', () => {
    const remarks = (settings: object): string[] => (instance(settings) as Instance).remarks.map(({ severity, path }) => `${severity} ${path}`)
    expect(remarks({ targetStrategy: 'UseIPv4v6' })).toEqual(['notice outbounds[0].settings.targetStrategy'])
    expect(remarks({ timeout: 5, fragment: {} })).toEqual(['warning outbounds[0].settings.timeout', 'warning outbounds[0].settings.fragment'])
  })

  it('is a module', () => {
    expect(instance({})).toBeDefined()
    expect(instance({ userLevel: 1 })).toBeDefined()
  })

  it.each([
    { userLevel: -1 }, { userLevel: 'x' }, { userLevl: 1 }, { redirect: 'nowhere' }, { redirect: ':0' }, { redirect: 'a:65536' },
    { domainStrategy: 'x' }, { domainStrategy: 'UseIPv5' }, { targetStrategy: 'x' }, { proxyProtocol: 1 }, { finalRules: [] },
  ])('refuses the settings %j', (settings) => {
    expect(() => instance(settings)).toThrow(expect.toSatisfy(isConfigError) as Error)
  })
})
