import { describe, expect, it } from 'vitest'
import { tcp } from '@sluice/core'
import { testContext, testLink, testPolicies } from '@sluice/testkit'
import { BlackholeOutbound } from '../src/index.js'

describe('BlackholeOutbound', () => {
  it('refuses with BLOCKED and leaves the link alone', async () => {
    const link = await testLink()
    const outbound = new BlackholeOutbound({}, testPolicies())
    await expect(outbound.process(testContext({ target: tcp('a.test', 1) }), link)).rejects.toMatchObject({ code: 'BLOCKED' })
    expect(link.opened).toBe(false)
    link.close()
  })

  it('answers 403 with response http, and ends in order', async () => {
    const link = await testLink()
    const ctx = testContext({ target: tcp('a.test', 1) })
    const processed = new BlackholeOutbound({ response: { type: 'http' } }, testPolicies()).process(ctx, link)
    await link.client.expectHead()
    await link.client.expect('Blocked\n')
    await link.client.expectEnd()
    await link.client.fin()
    await processed
    const text = link.client.received.toString()
    expect(text).toMatch(/^HTTP\/1.1 403 Forbidden\r\n[^]*\r\n\r\nBlocked\n$/)
    expect(ctx.record).toMatchObject({ outcome: 'closed', downlinkBytes: text.length })
    link.close()
  })

  it('cuts a client that stays', async () => {
    const link = await testLink()
    const outbound = new BlackholeOutbound({ response: { type: 'http' } }, testPolicies({ uplinkOnlyMs: 50 }))
    await outbound.process(testContext({ target: tcp('a.test', 1) }), link)
    expect(link.reader.destroyed).toBe(true)
    link.close()
  })
})
