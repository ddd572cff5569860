import { describe as nodeDescribe, it as nodeIt } from 'node:test'
import { describe, expect, it } from 'vitest'
import { pattern, sha256, testContext, testLink, testPolicies, until, type TestRunner } from '../src/index.js'

describe('testLink()', () => {
  it('joins a client to a link of one socket', async () => {
    const link = await testLink()
    expect(link.reader).toBe(link.writer)
    await link.client.send('up')
    await until(() => link.reader.readableLength === 2, 'the bytes')
    expect(String(link.reader.read())).toBe('up')
    link.writer.write('down')
    await link.client.expect('down')
    link.close()
  })

  it('counts opens, and tells the first', async () => {
    const link = await testLink()
    expect([link.opened, link.opens]).toEqual([false, 0])
    link.open({ form: 'absolute' })
    link.open()
    expect([link.opened, link.opens]).toEqual([true, 2])
    expect(await link.whenOpened).toEqual({ form: 'absolute' })
    link.close()
  })

  it('resets its client by abort, once', async () => {
    const link = await testLink()
    const error = new Error('cut')
    link.abort(error)
    link.abort(new Error('again'))
    await link.client.expectReset()
    expect(link.abortedWith).toBe(error)
  })

  it('shows the reset of a client that nobody reads from', async () => {
    const link = await testLink()
    await link.client.send('unread')
    await link.client.reset()
    await until(() => link.reader.destroyed, 'the reset')
    expect(link.reader.errored).toMatchObject({ code: 'ECONNRESET' })
  })
})

describe('testContext()', () => {
  it('makes contexts that share nothing', () => {
    const target = { network: 'tcp', host: 'a', port: 1 } as const
    const [first, second] = [testContext({ target }), testContext({ target, inboundTag: 'in' })]
    expect(first.id).not.toBe(second.id)
    expect(first.record).not.toBe(second.record)
    expect(first.record).toMatchObject({ uplinkBytes: 0, downlinkBytes: 0, attempts: 0 })
    expect([first.signal.aborted, second.inboundTag, second.target]).toEqual([false, 'in', target])
  })
})

describe('testPolicies()', () => {
  it('gives one policy to all levels', () => {
    const policies = testPolicies({ connIdleMs: 5 })
    expect(policies.forLevel(0)).toBe(policies.forLevel(9))
    expect(policies.forLevel(0)).toMatchObject({ connIdleMs: 5, handshakeMs: 10_000 })
  })
})

describe('pattern()', () => {
  it('gives the same bytes at the same place, whatever piece is asked for', () => {
    const whole = pattern(300_000)
    expect(pattern(100_000, 150_000).equals(whole.subarray(150_000, 250_000))).toBe(true)
    expect(new Set(whole.subarray(0, 1_000)).size).toBeGreaterThan(200)
    expect(sha256(whole.subarray(0, 65_521))).toBe(sha256(pattern(65_521, 65_521)))
  })
})

describe('TestRunner', () => {
  it('fits vitest and node:test', () => {
    const runners: TestRunner[] = [{ describe, it }, { describe: nodeDescribe, it: nodeIt }]
    expect(runners.length).toBe(2)
  })
})
