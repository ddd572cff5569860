import { describe, expect, it } from 'vitest'
import { createInstance, isConfigError, type Config } from '@sluice/core'
import { transport } from '@sluice/transport'
import { HttpOutbound, httpOutbound, type HttpOutboundSettings } from '../src/index.js'

const server = { address: 'proxy.test', port: 3128 }

function create(settings: unknown): unknown {
  const config: Config = { outbounds: [{ protocol: 'http', settings: settings as HttpOutboundSettings }] }
  return createInstance(config, { modules: [transport, httpOutbound] })
}

/** The paths of all faults, below the settings. */
function faultsOf(settings: unknown): string[] {
  try {
    create(settings)
    return []
  } catch (error) {
    if (!isConfigError(error)) throw error
    return error.faults.map(({ path }) => path.replace('outbounds[0].settings', '').replace(/^\./, ''))
  }
}

describe('httpOutbound', () => {
  it.each([
    [{ servers: [server] }],
    [{ servers: [{ ...server, port: '3128' }] }],
    [{ servers: [{ ...server, users: [{ user: 'me', pass: 'x', level: 1, email: 'a@b' }] }] }],
    [{ servers: [{ ...server, halfClose: 'hold' }, { ...server, address: '2001:db8::1' }] }],
    [{ servers: [server], headers: { 'User-Agent': 'x' }, version: '2', maxConnections: 1, halfClose: 'propagate' }],
  ])('takes %j', (settings) => {
    expect(faultsOf(settings)).toEqual([])
  })

  it.each([
    [{}, ['servers']],
    [{ servers: [] }, ['servers']],
    [{ servers: [{ address: 'a' }] }, ['servers[0].port']],
    [{ servers: [{ ...server, port: 65_536 }] }, ['servers[0].port']],
    [{ servers: [{ ...server, port: 'x' }] }, ['servers[0].port']],
    [{ servers: [{ ...server, adress: 'a' }] }, ['servers[0].adress']],
    [{ servers: [{ ...server, address: 'http://a' }] }, ['servers[0].address']],
    [{ servers: [{ ...server, users: [{ pass: 'x' }] }] }, ['servers[0].users[0].user']],
    [{ servers: [{ ...server, users: [{ user: 'a:b' }] }] }, ['servers[0].users[0].user']],
    [{ servers: [server], version: '3' }, ['version']],
    [{ servers: [server], halfClose: 'drop' }, ['halfClose']],
    [{ servers: [server], maxConnections: 0 }, ['maxConnections']],
    [{ servers: [server], headers: { Host: 'x' } }, ['headers.Host']],
  ])('refuses %j', (settings, paths) => {
    expect(faultsOf(settings)).toEqual(paths)
  })

  it('C168 never shows a password in a fault', () => {
    let message = ''
    try {
      create({ servers: [{ ...server, users: [{ user: 'me', pass: 'hunter2\n' }] }] })
    } catch (error) {
      message = (error as Error).message
    }
    expect(message).toContain('users[0].pass: must not contain control characters')
    expect(message).not.toContain('hunter2')
  })

  it('makes an outbound that opens nothing before a session comes', () => {
    expect(httpOutbound).toMatchObject({ kind: 'outbound', protocol: 'http', useClass: HttpOutbound })
    expect(create({ servers: [server] })).toBeDefined()
  })
})
