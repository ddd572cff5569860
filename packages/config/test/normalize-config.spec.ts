import { formatFault } from '@sluice/core'
import { describe, expect, it } from 'vitest'
import { locateFaults, normalizeConfig, parseConfig, type NormalizeOptions } from '../src/index.js'

function normalize(value: unknown, options: NormalizeOptions = {}): { config: unknown, told: string[] } {
  const { config, remarks } = normalizeConfig(parseConfig(typeof value === 'string' ? value : JSON.stringify(value)), options)
  const told = remarks.map(({ severity, path, message }) => `${severity} ${path} ${message}`)
  return { config, told: told.filter((line) => !line.endsWith(LOOPBACK)) }
}

/** Said of each inbound without an address, which most of these tests do not look at. */
const LOOPBACK = 'listens on 127.0.0.1 alone'

const outbound = (part: object): unknown => (normalize({ outbounds: [part] }).config as { outbounds: unknown[] }).outbounds[0]

describe('normalizeConfig()', () => {
  it('leaves a canonical config as it is and says nothing', () => {
    const config = {
      log: { loglevel: 'warning' },
      inbounds: [{ tag: 'in', protocol: 'socks', port: 1080, listen: '127.0.0.1', settings: { auth: 'noauth' } }],
      outbounds: [{
        tag: 'out', protocol: 'http', settings: { servers: [{ address: 'p', port: 1 }] },
        streamSettings: { security: 'tls', tlsSettings: {} },
      }],
      routing: { rules: [{ type: 'field', inboundTag: ['in'], outboundTag: 'out' }] },
      policy: { levels: { 0: { handshake: 4 } } },
    }
    expect(normalize(config)).toEqual({ config, told: [] })
  })

  it.each([
    5, null, [], 'text', { inbounds: 5, outbounds: {}, routing: [], api: 1 },
    { inbounds: [null, 1, []], routing: { rules: {}, settings: 3 } },
  ])('survives what is no config: %j', (value) => {
    expect(() => normalize(JSON.stringify(value))).not.toThrow()
  })

  it('reads keys of the envelope in whatever case', () => {
    const { config, told } = normalize({ Outbounds: [{ Protocol: 'HTTP', StreamSettings: { Security: 'TLS' } }] })
    expect(config).toEqual({ outbounds: [{ protocol: 'http', streamSettings: { security: 'tls' } }] })
    expect(told).toContain('notice Outbounds[0].Protocol is read as "protocol"')
    expect(told).toContain('notice Outbounds[0].Protocol is read as "http"')
  })

  it('gathers the handlers of old names in their order', () => {
    const { config, told } = normalize({
      port: 1080, inbound: { protocol: 'socks' }, inboundDetour: [{ protocol: 'http', port: 2 }],
      inbounds: [{ protocol: 'mixed', port: 3 }], outbound: { protocol: 'http' }, outboundDetour: [{ protocol: 'freedom' }],
    })
    expect(config).toEqual({
      inbounds: [{ protocol: 'socks', port: 1080 }, { protocol: 'http', port: 2 }, { protocol: 'mixed', port: 3 }],
      outbounds: [{ protocol: 'http' }, { protocol: 'freedom' }],
    })
    expect(told).toHaveLength(5)
  })

  it('reads rules one level deeper', () => {
    const { config } = normalize({ routing: { strategy: 'rules', settings: { domainStrategy: 'AsIs', rules: [] } } })
    expect(config).toEqual({ routing: { domainStrategy: 'AsIs', rules: [] } })
  })

  it('takes out sections without a meaning, and keeps those that a module serves', () => {
    const value = { dns: {}, transport: {}, reverse: {}, fakedns: [], observatory: {}, api: { tag: 'api' }, metrics: {}, nonsense: 1 }
    const { config, told } = normalize(value, { sections: ['dns'] })
    expect(config).toEqual({ dns: {}, nonsense: 1 })
    expect(told).toHaveLength(6)
    expect(told).toContain('warning reverse is ignored: there is no reverse proxy here')
  })

  it('takes out remarks and what is null', () => {
    const { config, told } = normalize({ '//': 'x', _comment: 'y', remarks: 'z', inbounds: [{ '// a': 1, port: 1, tag: null, _b: 2 }] })
    expect({ config, told }).toEqual({ config: { inbounds: [{ port: 1 }] }, told: [] })
  })

  it('takes out what only the API uses', () => {
    const door = { tag: 'api-in', protocol: 'dokodemo-door', port: 1 }
    const rules = [{ inboundTag: 'api-in', outboundTag: 'api' }, { inboundTag: ['in'], outboundTag: 'x' }]
    const { config, told } = normalize({ api: { tag: 'api' }, inbounds: [door, { tag: 'in', port: 2 }], routing: { rules } })
    expect(config).toEqual({ inbounds: [{ tag: 'in', port: 2 }], routing: { rules: [rules[1]] } })
    expect(told).toEqual([
      expect.stringMatching(/^warning api is ignored: /),
      'warning inbounds[0] is ignored: only the API uses it',
      'warning routing.rules[0] is ignored: it leads to the API',
    ])
  })

  it('keeps a rule to the API that other sessions take too', () => {
    const rules = [{ inboundTag: ['in', 'api-in'], outboundTag: 'api' }, { outboundTag: 'api' }]
    const { config } = normalize({ api: { tag: 'api' }, inbounds: [{ tag: 'in', port: 2 }], routing: { rules } })
    expect(config).toMatchObject({ routing: { rules } })
  })

  it('takes out what HTTP proxies do not know, and says so where it was switched on', () => {
    const value = { outbounds: [{ mux: { enabled: true } }, { mux: { enabled: false } }] }
    expect(normalize(value)).toEqual({
      config: { outbounds: [{}, {}] }, told: ['warning outbounds[0].mux is ignored: HTTP proxies do not know Mux.Cool'],
    })
  })

  it('reads what v2ray 1 had of sniffing', () => {
    expect(normalize({ inbounds: [{ domainOverride: ['http'] }] })).toEqual({
      config: { inbounds: [{ sniffing: { enabled: true, destOverride: ['http'] } }] },
      told: ['notice inbounds[0].domainOverride is read as part of "sniffing"'],
    })
  })

  it('says which inbounds listen elsewhere than v2ray would, and refuses what cannot be listened on', () => {
    const listens = ['127.0.0.1', undefined, '', null, 'localhost', '::', 'a.test', '/run/a.sock']
    const { config, remarks } = normalizeConfig(parseConfig(JSON.stringify({ inbounds: listens.map((listen) => ({ listen })) })))
    expect(config).toEqual({
      inbounds: [{ listen: '127.0.0.1' }, {}, {}, {}, { listen: 'localhost' }, { listen: '::' }, { listen: '127.0.0.1' }, { listen: '127.0.0.1' }],
    })
    expect(remarks.map(({ severity, path }) => `${severity} ${path}`)).toEqual([
      'error inbounds[6].listen', 'error inbounds[7].listen', 'notice inbounds[1]', 'notice inbounds[2]', 'notice inbounds[3]',
    ])
  })

  it.each([
    [{ sockopt: { mark: 255, tcpFastOpen: false, tproxy: 'off', tcpKeepAliveIdle: 9 } }, { sockopt: { tcpKeepAliveIdle: 9 } }, ['warning …sockopt.mark']],
    [
      { security: 'tls', tlsSettings: { fingerprint: 'chrome', echConfigList: '', verifyPeerCertByName: 'a' } }, { security: 'tls', tlsSettings: {} },
      ['warning …tlsSettings.fingerprint', 'error …tlsSettings.verifyPeerCertByName'],
    ],
    [{ network: 'ws', wsSettings: {} }, { network: 'ws' }, []],
    [{ security: 'reality', realitySettings: {} }, { security: 'reality' }, []],
  ])('takes out of the stream %j what has no meaning here, and says so where it asked for something', (before, after, expected) => {
    const { config, told } = normalize({ outbounds: [{ streamSettings: before }] })
    expect(config).toEqual({ outbounds: [{ streamSettings: after }] })
    expect(told.map((line) => line.replace('outbounds[0].streamSettings.', '…').split(' ').slice(0, 2).join(' '))).toEqual(expected)
  })

  it.each<[object, object]>([
    [{ protocol: 'direct' }, { protocol: 'freedom' }],
    [{ protocol: 'block' }, { protocol: 'blackhole' }],
    [{ sendThrough: '0.0.0.0' }, {}],
    [{ targetStrategy: 'UseIP' }, {}],
    [{ proxySettings: { tag: 'a', transportLayer: true } }, { proxySettings: { tag: 'a' } }],
    [{ proxySettings: { tag: '' } }, {}],
    [{ streamSettings: { sockopt: { dialerProxy: 'a' } } }, { proxySettings: { tag: 'a' }, streamSettings: { sockopt: {} } }],
    [{ streamSettings: { method: 'raw', rawSettings: {} } }, { streamSettings: { network: 'raw', tcpSettings: {} } }],
    [{ streamSettings: { network: '', security: '', wsSettings: {} } }, { streamSettings: {} }],
    [{ streamSettings: { tlsSettings: { allowInsecure: true } } }, { streamSettings: {} }],
    [
      { streamSettings: { security: 'tls', tlsSettings: { serverName: '', alpn: [] } } },
      { streamSettings: { security: 'tls', tlsSettings: {} } },
    ],
  ])('reads the outbound %j', (before, after) => {
    expect(outbound(before)).toEqual(after)
  })

  it.each([['1080', 1080], ['1080-1080', 1080], ['1-2', '1-2'], ['env:P', 99]])('reads the port %j', (port, read) => {
    expect(normalize({ inbounds: [{ port }] }, { env: { P: '99' } }).config).toEqual({ inbounds: [{ port: read }] })
  })

  it('reads ports and addresses of environment variables, in settings too', () => {
    const settings = { Address: 'env:A', port: 'env:P', servers: [{ address: 'env:A', port: 'env:P', users: [{ pass: 'env:A' }] }] }
    const { config, told } = normalize({ inbounds: [{ listen: 'env:L' }], outbounds: [{ settings }] }, { env: { A: 'a.test', P: '99', L: '::1' } })
    expect(told).toEqual([])
    expect(config).toEqual({
      inbounds: [{ listen: '::1' }],
      outbounds: [{
        settings: { Address: 'a.test', port: '99', servers: [{ address: 'a.test', port: '99', users: [{ pass: 'env:A' }] }] },
      }],
    })
    expect(normalize({ outbounds: [{ settings: { servers: [{ address: 'env:NOPE' }] } }] }, { env: {} }).told)
      .toEqual(['error outbounds[0].settings.servers[0].address names the environment variable "NOPE", which is not set'])
  })

  it('refuses a port of an environment variable that is not set, and accounts outside the settings', () => {
    const { told } = normalize({ inbounds: [{ port: 'env:NOPE', accounts: [] }], outbounds: [{ user: 'u' }] }, { env: {} })
    expect(told).toEqual([
      'error inbounds[0].port names the environment variable "NOPE", which is not set',
      'error inbounds[0].accounts stands beside "settings", where nobody would be asked for it',
      'error outbounds[0].user stands beside "settings", where nothing would read it',
    ])
  })

  it('leaves out unknown protocols on demand, but never the default outbound', () => {
    const known = { inbounds: new Set(['socks']), outbounds: new Set(['http']) }
    const named = (...protocols: string[]): unknown[] => protocols.map((protocol) => ({ protocol }))
    const value = { inbounds: named('vmess', 'socks'), outbounds: named('vless', 'trojan', 'http') }
    expect(normalize({ outbounds: [{ protocol: 'vless', streamSettings: { network: 'ws' } }] }, { known }).config)
      .toEqual({ outbounds: [{ protocol: 'vless' }] })
    expect(normalize(value, { known, skipUnknown: true }).config).toEqual({ inbounds: named('socks'), outbounds: named('vless', 'http') })
  })

  it('locates what was moved where it was written', () => {
    const document = normalizeConfig(parseConfig(`{
  "inboundDetour": [{ "Port": "x" }],
  "outbound": { "streamSettings": { "sockopt": {
    "dialerProxy": "nobody" } } }
}`, { file: 'f' }))
    expect(locateFaults([
      { path: 'inbounds[0].port', message: 'a', severity: 'error' },
      { path: 'outbounds[0].proxySettings.tag', message: 'b', severity: 'error' },
      { path: 'outbounds[0].protocol', message: 'missing', severity: 'error' },
    ], document).map(formatFault)).toEqual([
      'f:2:31 inboundDetour[0].Port: a',
      'f:4:20 outbound.streamSettings.sockopt.dialerProxy: b',
      'f:3:15 outbound.protocol: missing',
    ])
  })
})
