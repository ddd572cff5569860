import { networkInterfaces } from 'node:os'
import { describe, expect, it } from 'vitest'
import { OwnListeners } from '../src/own-listeners.js'

const OF_THIS_MACHINE = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []).map(({ address }) => address)

function listening(...hosts: string[]): OwnListeners {
  const own = new OwnListeners()
  for (const host of hosts) own.add({ host, port: 1080 })
  return own
}

describe('T5 OwnListeners', () => {
  it.each([
    ['127.0.0.1', '127.0.0.1'], ['127.0.0.1', '::ffff:127.0.0.1'], ['::ffff:192.0.2.1', '192.0.2.1'], ['::1', '::1'],
    ['0.0.0.0', '127.0.0.1'], ['0.0.0.0', '127.9.9.9'], ['0.0.0.0', '::ffff:127.0.0.1'], ['0.0.0.0', '0.0.0.0'], ['::', '::1'], ['::', '127.0.0.1'],
  ])('know that what listens on %s takes what is dialled to %s', (own, host) => {
    expect(listening(own).has({ host, port: 1080 })).toBe(host !== '::1' || own === '::1' || OF_THIS_MACHINE.includes('::1'))
  })

  it.each([['127.0.0.1', '127.0.0.2'], ['0.0.0.0', '192.0.2.1'], ['0.0.0.0', '::1'], ['::', '2001:db8::1'], ['127.0.0.1', '::1']])(
    'know that what listens on %s does not take what is dialled to %s', (own, host) => {
      expect(listening(own).has({ host, port: 1080 })).toBe(false)
    })

  it('know each address of this machine where all are listened on', () => {
    for (const host of OF_THIS_MACHINE) expect(listening('::').has({ host, port: 1080 })).toBe(true)
  })

  it('know the port, and forget who has closed', () => {
    const own = new OwnListeners()
    const remove = own.add({ host: '127.0.0.1', port: 1080 })
    expect(own.has({ host: '127.0.0.1', port: 1081 })).toBe(false)
    remove()
    expect(own.has({ host: '127.0.0.1', port: 1080 })).toBe(false)
  })
})
