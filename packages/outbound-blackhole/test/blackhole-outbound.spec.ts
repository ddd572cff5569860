import { describe, expect, it } from 'vitest'
import { answerTo, createInstance, isConfigError, tcp, type Config, type Policy } from '@sluice/core'
import { leakCounter, testContext, testLink, testPolicies, within, type TestContextOptions, type TestLink } from '@sluice/testkit'
import { transport } from '@sluice/transport'
import { BlackholeOutbound, blackholeOutbound, type BlackholeOutboundSettings } from '../src/index.js'

const PAGE = /^HTTP\/1\.1 403 Forbidden\r\n(?:[A-Za-z-]+: [^\r\n]+\r\n)*Content-Length: 8\r\n\r\nBlocked\n$/

interface Run {
  readonly ctx: ReturnType<typeof testContext>
  readonly link: TestLink
  readonly done: Promise<void>
}

type Options = Partial<TestContextOptions>

async function start(settings: BlackholeOutboundSettings, policy: Partial<Policy> = {}, options: Options = {}): Promise<Run> {
  const ctx = testContext({ target: tcp('target.test', 443), ...options })
  const link = await testLink()
  const done = new BlackholeOutbound(settings, testPolicies(policy)).process(ctx, link)
  done.catch(() => {})
  return { ctx, link, done }
}

const answering = { response: { type: 'http' } } as const

describe('BlackholeOutbound', () => {
  it.each([
    ['without settings', {}, tcp('target.test', 443), 'target.test:443'],
    ['with response none', { response: { type: 'none' } }, tcp('::1', 80), '[::1]:80'],
    ['for UDP', {}, { network: 'udp', host: 'a', port: 53 }, 'a:53'],
  ] as const)('%s refuses with BLOCKED, and touches nothing', async (_, settings, target, name) => {
    const { ctx, link, done } = await start(settings, {}, { target })
    const error: unknown = await done.catch((reason: unknown) => reason)
    expect(error).toMatchObject({ name: 'ProxyError', code: 'BLOCKED', side: 'internal', message: `Target ${name} is blocked` })
    expect(answerTo(error)).toMatchObject({ socks: 2, http: 403 })
    expect(link).toMatchObject({ opens: 0, abortedWith: undefined })
    expect(ctx.record).toMatchObject({ attempts: 0, downlinkBytes: 0 })
    link.close()
  })

  it('with response http lets the client in, answers 403, and ends in order with it', async () => {
    const counter = leakCounter()
    const { ctx, link, done } = await start(answering)
    await link.client.send('GET / HTTP/1.1\r\nHost: target.test\r\n\r\n')
    await link.client.expect(PAGE)
    await link.client.expectEnd()
    await link.client.fin()
    await within(1_000, 'process to resolve', done)
    expect(link).toMatchObject({ opens: 1, abortedWith: undefined })
    expect(ctx.record).toMatchObject({ outcome: 'closed', attempts: 0, downlinkBytes: link.client.receivedBytes })
    await link.client.closed
    await counter.expectNoLeaks()
  })

  it.each([0, 60])('with response http cuts a client that stays for longer than uplinkOnly of %d ms', async (uplinkOnlyMs) => {
    const { ctx, link, done } = await start(answering, { uplinkOnlyMs })
    await link.client.expect(PAGE)
    await within(1_000, 'process to resolve', done)
    expect(link.abortedWith).toMatchObject({ code: 'ABORT', side: 'downstream' })
    expect(ctx.record.outcome).toBe('closed')
    expect(link.reader.destroyed).toBe(true)
    link.close()
  })

  it('with response http resolves when the client resets', async () => {
    const { link, done } = await start(answering)
    await link.client.expect(PAGE)
    link.client.reset()
    await within(1_000, 'process to resolve', done)
  })

  it('with response http rejects with the reason as it is when it is cancelled', async () => {
    const cancelling = new AbortController()
    const { ctx, link, done } = await start(answering, {}, { signal: cancelling.signal })
    const counter = leakCounter({ watch: { 'ctx.signal': ctx.signal } })
    await link.client.expect(PAGE)
    cancelling.abort('the instance stops')
    await expect(done).rejects.toBe('the instance stops')
    expect(link.reader.destroyed).toBe(true)
    link.close()
    await counter.expectNoLeaks(100)
  })

  it('with response http opens nothing for a session that is cancelled already', async () => {
    const { link, done } = await start(answering, {}, { signal: AbortSignal.abort('gone') })
    await expect(done).rejects.toBe('gone')
    expect(link.opens).toBe(0)
    link.close()
  })
})

describe('blackholeOutbound', () => {
  const instance = (settings: object): unknown =>
    createInstance({ outbounds: [{ protocol: 'blackhole', settings }] } as Config, { modules: [transport, blackholeOutbound] })

  it.each([{}, { response: { type: 'none' } }, { response: { type: 'http' } }])('is a module with settings %j', (settings) => {
    expect(instance(settings)).toBeDefined()
  })

  it.each([{ response: 'http' }, { response: { type: 'x' } }, { response: {} }, { x: 1 }])('refuses the settings %j', (settings) => {
    expect(() => instance(settings)).toThrow(expect.toSatisfy(isConfigError) as Error)
  })
})
