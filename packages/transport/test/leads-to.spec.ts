import { networkInterfaces } from 'node:os'
import { describe, expect, it } from 'vitest'
import { leadsTo } from '../src/leads-to.js'

const OF_THIS_MACHINE = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []).map(({ address }) => address)

const between = (listening: string, host: string): boolean => leadsTo([{ host: listening, port: 1080 }], { host, port: 1080 })

describe('T5 leadsTo()', () => {
  it.each([
    ['127.0.0.1', '127.0.0.1'], ['127.0.0.1', '::ffff:127.0.0.1'], ['::ffff:192.0.2.1', '192.0.2.1'], ['::1', '::1'],
    ['0.0.0.0', '127.0.0.1'], ['0.0.0.0', '127.9.9.9'], ['0.0.0.0', '::ffff:127.0.0.1'], ['0.0.0.0', '0.0.0.0'], ['::', '127.0.0.1'],
  ])('knows that what listens on %s takes what is dialled to %s', (listening, host) => {
    expect(between(listening, host)).toBe(true)
  })

  it.each([['127.0.0.1', '127.0.0.2'], ['0.0.0.0', '192.0.2.1'], ['0.0.0.0', '::1'], ['::', '2001:db8::1'], ['127.0.0.1', '::1']])(
    'knows that what listens on %s does not take what is dialled to %s', (listening, host) => {
      expect(between(listening, host)).toBe(false)
    })

  it('knows each address of this machine where all are listened on', () => {
    for (const host of OF_THIS_MACHINE) expect(between('::', host)).toBe(true)
  })

  it('knows the port, and asks who listens at this moment', () => {
    const listeners = new Set([{ host: '127.0.0.1', port: 1080 }])
    expect(leadsTo(listeners, { host: '127.0.0.1', port: 1081 })).toBe(false)
    expect(leadsTo(listeners, { host: '127.0.0.1', port: 1080 })).toBe(true)
    listeners.clear()
    expect(leadsTo(listeners, { host: '127.0.0.1', port: 1080 })).toBe(false)
  })
})
