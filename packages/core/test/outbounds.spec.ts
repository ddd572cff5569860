import { duplexPair } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { DialingOutboundHandler, Outbounds } from '../src/instance/outbounds.js'
import { isTunnelOutbound, type Context, type Dialer, type TunnelOutbound } from '../src/index.js'
import { patientOutbound } from './memory-modules.js'

const dialer: Dialer = { dial: () => Promise.reject(new Error('Nothing is dialled here')) }

const handler = (tag: string, outbound = patientOutbound): DialingOutboundHandler => new DialingOutboundHandler(tag, 'script', outbound, dialer)

describe('an outbound handler', () => {
  it('hands tunnels over if its outbound does, dialled by its own dialer', async () => {
    const [tunnel] = duplexPair()
    const dialers: Dialer[] = []
    const outbound: TunnelOutbound = {
      ...patientOutbound,
      connect: (_, by) => {
        dialers.push(by)
        return Promise.resolve(tunnel)
      },
    }
    expect(isTunnelOutbound(outbound)).toBe(true)
    expect(await handler('a', outbound).connect?.({} as Context)).toBe(tunnel)
    expect(dialers).toEqual([dialer])
  })

  it('has no connect() if its outbound has none', () => {
    expect(isTunnelOutbound(patientOutbound)).toBe(false)
    expect(handler('a').connect).toBeUndefined()
  })

  it('starts and closes an outbound that has nothing to start or close', async () => {
    await expect(Promise.all([handler('a').start(), handler('a').close()])).resolves.toHaveLength(2)
  })
})

describe('Outbounds', () => {
  it('keeps the order of the config, and finds by tag those that have one', () => {
    const outbounds = new Outbounds()
    expect([outbounds.default, outbounds.tags]).toEqual([undefined, []])
    const [nameless, a, proto] = [handler(''), handler('a'), handler('__proto__')]
    for (const each of [nameless, a, proto]) outbounds.add(each)
    expect([...outbounds]).toEqual([nameless, a, proto])
    expect(outbounds.default).toBe(nameless)
    expect(outbounds.tags).toEqual(['a', '__proto__'])
    expect([outbounds.get('a'), outbounds.get('__proto__'), outbounds.get(''), outbounds.get('constructor')]).toEqual([a, proto, undefined, undefined])
  })
})
