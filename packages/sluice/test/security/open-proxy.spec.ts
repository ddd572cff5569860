import { connect } from 'node:net'
import { networkInterfaces } from 'node:os'
import { once } from 'node:events'
import { describe, expect, it } from 'vitest'
import { createInstance, isConfigError, modules, type Config } from '../../src/index.js'

const PROTOCOLS = ['socks', 'http', 'mixed'] as const
const accounts = [{ user: 'me', pass: 'secret' }]
const elsewhere = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? [])
  .find(({ internal, family }) => !internal && family === 'IPv4')?.address

/** The faults of an inbound, as `path: message`. */
function faultsOf(inbound: object): string[] {
  try {
    createInstance({ inbounds: [inbound], outbounds: [{ protocol: 'freedom' }] } as Config, { modules })
    return []
  } catch (error) {
    if (!isConfigError(error)) throw error
    return error.faults.map(({ path, message }) => `${path}: ${message}`)
  }
}

describe('T1 an inbound', () => {
  it.each(PROTOCOLS)('of protocol %s listens on loopback only, unless it is told otherwise', async (protocol) => {
    await using instance = createInstance({ inbounds: [{ protocol, port: 0 }] }, { modules })
    await instance.start()
    const { host, port } = instance.listening[0]?.address ?? { host: '', port: 0 }
    expect(host).toBe('127.0.0.1')
    const [outcome] = await once(connect({ host: elsewhere ?? '127.0.0.2', port }), 'error')
    expect(outcome).toMatchObject({ code: 'ECONNREFUSED' })
  })

  it.each(PROTOCOLS.flatMap((protocol) => ['0.0.0.0', '::', '192.0.2.1', '10.0.0.1', 'fe80::1', '::ffff:0.0.0.0'].map((listen) => [protocol, listen])))(
    'of protocol %s is refused on %s without accounts', (protocol, listen) => {
      expect(faultsOf({ protocol, listen, port: 0 }))
        .toEqual([`inbounds[0].listen: would let anybody use this proxy: ${listen} is public and there are no accounts`])
    })

  it.each(PROTOCOLS)('of protocol %s may be public with accounts, or for who says that it is to be open', (protocol) => {
    const settings = protocol === 'socks' ? { auth: 'password', accounts } : { accounts }
    expect(faultsOf({ protocol, listen: '0.0.0.0', port: 0, settings })).toEqual([])
    expect(faultsOf({ protocol, listen: '0.0.0.0', port: 0, allowOpen: true })).toEqual([])
  })
})
