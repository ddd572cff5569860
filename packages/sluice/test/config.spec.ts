import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { connectProxy, connectTo, startTarget, until } from '@sluice/testkit'
import { withSource } from '../src/cli/file-options.js'
import { BIN, configFile, configFolder, startCommand, startNodeIn } from './command.js'
import { runMain, type MainResult } from './run-main.js'

/** Runs `sluice check` to its end. */
async function check(config: unknown, ...args: string[]): Promise<MainResult> {
  await using file = await configFile(config)
  const { code, out, err } = await runMain('check', '-c', file.path, ...args)
  return { code, out, err: err.replaceAll(file.path, 'FILE') }
}

const upstream = { address: 'proxy.example', port: 3128, users: [{ user: 'u', pass: 'p' }] }

// As clients, panels and guides write them.
const LOADED: Readonly<Record<string, unknown>> = {
  'a plain v2ray v4 config': {
    log: { access: 'none', error: 'none', loglevel: 'warning' },
    inbounds: [{
      port: 1080, listen: '127.0.0.1', protocol: 'socks', tag: 'in', settings: { auth: 'noauth', udp: false, ip: '127.0.0.1' },
      sniffing: { enabled: true, destOverride: ['http', 'tls'] }, allocate: { strategy: 'always' },
    }],
    outbounds: [
      {
        protocol: 'http', tag: 'proxy', settings: { servers: [upstream] }, mux: { enabled: false },
        streamSettings: { network: 'tcp', security: 'none' },
      },
      { protocol: 'freedom', tag: 'direct', settings: {} },
      { protocol: 'blackhole', tag: 'block', settings: { response: { type: 'http' } } },
    ],
    routing: { domainStrategy: 'AsIs', rules: [{ type: 'field', inboundTag: ['in'], outboundTag: 'proxy' }] },
    policy: { levels: { 0: { handshake: 4, connIdle: 300, uplinkOnly: 2, downlinkOnly: 5, bufferSize: 512 } } },
    stats: {},
  },
  "Xray's flat form": {
    inbounds: [{ port: '1080', protocol: 'mixed', settings: { auth: 'password', users: [{ user: 'a', pass: 'b' }], udp: true } }],
    outbounds: [
      {
        protocol: 'http', tag: 'p', targetStrategy: 'AsIs',
        settings: { address: 'proxy.example', port: '443', user: 'u', pass: 'p', level: 0, email: 'e' },
      },
      { protocol: 'direct', tag: 'd' }, { protocol: 'block', tag: 'b' },
    ],
    version: { min: '25.1.1' }, env: {},
  },
  'the names of v2ray 1': {
    port: 1080,
    inbound: { protocol: 'socks', settings: { auth: 'noauth' }, domainOverride: ['http'] },
    inboundDetour: [{ tag: 'web', port: 8080, protocol: 'http', settings: {} }],
    outbound: { protocol: 'http', settings: { servers: [upstream] } },
    outboundDetour: [{ protocol: 'freedom', tag: 'direct' }],
    routing: {
      strategy: 'rules', settings: { domainStrategy: 'AsIs', rules: [{ type: 'field', inboundTag: ['web'], outboundTag: 'direct' }] },
    },
  },
  "a panel's config with its API": {
    api: { tag: 'api', services: ['HandlerService', 'StatsService'] },
    inbounds: [
      { tag: 'api', listen: '127.0.0.1', port: 62789, protocol: 'dokodemo-door', settings: { address: '127.0.0.1' } },
      { tag: 'in', port: 1080, protocol: 'socks', settings: {} },
    ],
    outbounds: [{ protocol: 'http', settings: { servers: [upstream] } }],
    routing: { rules: [{ type: 'field', inboundTag: ['api'], outboundTag: 'api' }] },
    metrics: { tag: 'm', listen: '127.0.0.1:1' },
    policy: { system: { statsInboundUplink: true, statsInboundDownlink: true } },
    stats: {},
  },
  "a graphical client's config full of null": {
    log: { access: '', error: '', loglevel: 'warning' }, remarks: 'office', dns: null, stats: null,
    inbounds: [
      {
        tag: 'socks', port: 10808, listen: '127.0.0.1', protocol: 'socks', streamSettings: null,
        settings: { auth: 'noauth', udp: true, allowTransparent: false, userLevel: 8 },
      },
      { tag: 'http', port: 10809, listen: '127.0.0.1', protocol: 'http', settings: { auth: 'noauth', udp: true, allowTransparent: false } },
    ],
    outbounds: [{
      tag: 'proxy', protocol: 'http', sendThrough: null, mux: { enabled: false, concurrency: -1 },
      settings: { vnext: null, servers: [{ ...upstream, method: null, users: [{ user: 'u', pass: 'p', level: 8, email: 't@t.tt' }] }] },
      streamSettings: { network: 'tcp', security: '', tlsSettings: null, wsSettings: null, tcpSettings: { header: { type: 'none' } } },
    }],
  },
  'comments of three kinds, trailing commas and a byte order mark': `\uFEFF{
    // the proxy of the office
    "_comment": "do not touch",
    "inbounds": [{ "protocol": "socks", "port": 1080, }], # local
    /* one
       server */
    "outbounds": [{ "protocol": "http", "settings": { "servers": [{ "address": "p.example", "port": 3128, },], }, },],
  }`,
  'keys in another case': {
    Inbounds: [{ Protocol: 'socks', Port: 1080, Settings: { Auth: 'noauth', UserLevel: 0 } }],
    OutBounds: [{ Protocol: 'HTTP', Settings: { Servers: [{ Address: 'p.example', PORT: 3128, Users: [{ User: 'u', Pass: 'p' }] }] } }],
    Log: { logLevel: 'error' },
  },
  'the account of the step-by-step guide': {
    inbounds: [{ protocol: 'http', port: 1, settings: { accounts: [{ Username: 'a', Password: 'b' }] } }],
    outbounds: [{
      protocol: 'http', settings: { servers: [{ address: 'p.example', port: 1, users: [{ Username: 'u', Password: 'p' }] }] },
    }],
  },
  'lists as texts with commas': {
    inbounds: [{ tag: 'a', protocol: 'socks', port: 1 }, { tag: 'b', protocol: 'mixed', port: 2, settings: { protocols: 'socks,http' } }],
    outbounds: [{
      tag: 'p', protocol: 'http', settings: { servers: [upstream] },
      streamSettings: { security: 'tls', tlsSettings: { serverName: 'p.example', alpn: 'http/1.1', fingerprint: 'chrome' } },
    }],
    routing: { rules: [{ type: 'field', inboundTag: 'a,b', network: 'tcp', outboundTag: 'p' }] },
  },
  "a chain in Xray's words": {
    inbounds: [{ protocol: 'socks', port: 1 }],
    outbounds: [
      {
        tag: 'far', protocol: 'http', settings: { servers: [upstream] },
        streamSettings: { method: 'raw', rawSettings: {}, sockopt: { dialerProxy: 'near', V6Only: false, mark: 255 } },
      },
      { tag: 'near', protocol: 'http', settings: { servers: [upstream] }, proxySettings: { tag: '', transportLayer: false } },
    ],
  },
  'TLS settings without TLS, mux and a DNS section': {
    dns: { servers: ['8.8.8.8', 'localhost'] },
    inbounds: [{ protocol: 'socks', port: 1 }],
    outbounds: [{
      protocol: 'http', settings: { servers: [upstream] }, mux: { enabled: true, concurrency: 8 },
      streamSettings: { tlsSettings: { allowInsecure: true, serverName: '' }, grpcSettings: {} },
    }],
  },
  'no settings of any kind': { inbounds: [{ protocol: 'socks', port: 1 }], outbounds: [{ protocol: 'freedom' }] },
}

describe('sluice check', () => {
  it.each(Object.entries(LOADED))('takes %s', async (_name, config) => {
    const { code, out, err } = await check(config)
    expect(err).not.toMatch(/^error/m)
    expect({ code, out }).toEqual({ code: 0, out: 'Configuration OK.\n' })
  })

  it('says what it reads differently and what it ignores, where it stands', async () => {
    const { err } = await check(`{
  "inbound": { "protocol": "socks", "port": 1, "listen": "::1" },
  "outbounds": [{ "protocol": "http", "mux": { "enabled": true },
    "settings": { "address": "p", "port": 1 } }]
}`)
    expect(err.split('\n').filter((line) => /^\w/.test(line)).map((line) => line.replace(/ \(.*\)$/, ''))).toEqual([
      'notice: FILE:2:14 inbound: is read as part of "inbounds"',
      'warning: FILE:3:46 outbounds[0].mux: is ignored: HTTP proxies do not know Mux.Cool',
      'notice: FILE:4:30 outbounds[0].settings.address: is read as the one server',
    ])
    expect(err).toMatch(/\n> 3 \| .*"mux"/)
  })

  it('refuses with --strict what there are warnings about, and takes notices', async () => {
    const config = { inbound: { protocol: 'socks', port: 1 }, outbounds: [{ protocol: 'freedom', mux: { enabled: true } }] }
    const { code, out, err } = await check(config, '--strict')
    expect({ code, out }).toEqual({ code: 23, out: '' })
    expect(err).toMatch(/^error: FILE:1:\d+ outbounds\[0\]\.mux: is ignored/m)
    expect(err).toMatch(/^notice: /m)
    expect((await check({ ...config, outbounds: [{ protocol: 'freedom' }] }, '--strict')).code).toBe(0)
  })

  it('reads YAML and TOML by name or with --format, and tells where a fault stands', async () => {
    await using folder = await configFolder({
      'a.yaml': 'inbounds:\n  - protocol: socks\n    port: 70000\noutbounds: [{ protocol: freedom }]\n',
      'b.conf': '[[inbounds]]\nprotocol = "socks"\nport = 1\nlisen = "x"\n[[outbounds]]\nprotocol = "freedom"\n',
    })
    const yaml = join(folder.path, 'a.yaml')
    const first = await runMain('-test', '-config', yaml)
    expect(first.code).toBe(23)
    expect(first.err).toContain(`error: ${yaml}:3:11 inbounds[0].port: must be a port`)
    expect(first.err).toContain('> 3 |     port: 70000\n    |           ^\n')
    const toml = join(folder.path, 'b.conf')
    const second = await runMain('check', '-c', toml, '--format', 'toml')
    expect(second.code).toBe(23)
    expect(second.err).toContain(`error: ${toml} inbounds[0].lisen: unknown key (did you mean "listen"?)`)
  })

  it('shows errors in the text, with the path that was written, and never a password', async () => {
    const { code, err } = await check(`{
  "Inbound": { "protocol": "http", "port": 1, "accounts": [{ "user": "a", "pass": "hunter2" }] },
  "outbounds": [{ "protocol": "http", "settings": { "address": "http://p:1", "port": "x", "pass": "hunter2" } }]
}`)
    expect(code).toBe(23)
    expect(err).toContain('error: FILE:2:59 Inbound.accounts: stands beside "settings"')
    expect(err).toContain('error: FILE:3:86 outbounds[0].settings.port: must be a port')
    expect(err).toMatch(/\n {2}1 \| \{\n {2}2 \|[^\n]*\n> 3 \|[^\n]*\n {4}\| +\^\n/)
    expect(err).not.toContain('hunter2')
  })

  it('writes JSON on demand', async () => {
    const { code, out } = await check({ inbounds: [{ protocol: 'socks', listen: '::1', port: 1, tagg: 'x' }] }, '--json')
    expect(code).toBe(23)
    const fault = { path: 'inbounds[0].tagg', message: 'unknown key', severity: 'error', line: 1 }
    expect(JSON.parse(out)).toMatchObject({ ok: false, faults: [fault] })
    const good = await check({ inbounds: [{ protocol: 'socks', listen: '::1', port: 1 }], outbounds: [{ protocol: 'freedom' }] }, '--json')
    expect(JSON.parse(good.out)).toEqual({ ok: true, faults: [] })
  })

  it('ignores unknown keys with --lenient, but not in a rule', async () => {
    const config = { inbounds: [{ protocol: 'socks', port: 1, tagg: 'x' }], outbounds: [{ protocol: 'freedom', tag: 'd' }] }
    const { code, err } = await check(config, '--lenient')
    expect(code).toBe(0)
    expect(err).toMatch(/warning: FILE:1:\d+ inbounds\[0\]\.tagg: is ignored: unknown key/)
    const rule = { type: 'field', inboundTag: ['x'], doman: ['a'], outboundTag: 'd' }
    expect((await check({ ...config, routing: { rules: [rule] } }, '--lenient')).code).toBe(23)
  })

  it('leaves out unknown protocols with --skip-unknown, but not the default outbound', async () => {
    const outbounds = [{ protocol: 'http', settings: { servers: [upstream] } }, { protocol: 'vmess', tag: 'v', settings: { vnext: [] } }]
    expect((await check({ outbounds })).code).toBe(23)
    const { code, err } = await check({ outbounds }, '--skip-unknown')
    expect(code).toBe(0)
    expect(err).toMatch(/warning: FILE:1:\d+ outbounds\[1\]: is ignored: its protocol is unknown/)
    expect((await check({ outbounds: [...outbounds].reverse() }, '--skip-unknown')).code).toBe(23)
  })

  it('merges several files, and those of a folder, and names the file of a fault', async () => {
    await using folder = await configFolder({
      'a.json': { inbounds: [{ tag: 'in', protocol: 'socks', port: 1 }], outbounds: [{ tag: 'd', protocol: 'freedom' }] },
      'b.json': { inbounds: [{ tag: 'in', protocol: 'http', port: 'bad' }], outbounds: [{ tag: 'p', protocol: 'blackhole' }] },
    })
    expect((await runMain('check', '-c', join(folder.path, 'b.json'), '-c', join(folder.path, 'a.json'))).code).toBe(0)
    const together = await runMain('test', '-confdir', folder.path)
    expect(together.code).toBe(23)
    expect(together.err).toContain(`error: ${join(folder.path, 'b.json')}:1:51 inbounds[0].port: must be a port`)
  })

  it('looks where v2ray looks for a config, and asks for one otherwise', async () => {
    const bad = { inbounds: [{ protocol: 'socks', port: 'bad' }] }
    await using here = await configFolder({ 'config.json': bad })
    await using empty = await configFolder({})
    expect(withSource({}, { V2RAY_LOCATION_CONFIG: here.path })).toEqual({ config: [join(here.path, 'config.json')] })
    expect(withSource({ config: ['a'] }, { V2RAY_LOCATION_CONFIG: here.path })).toEqual({ config: ['a'] })
    expect(withSource({}, { 'v2ray.location.confdir': here.path })).toEqual({ confdir: here.path })
    expect(() => withSource({}, { V2RAY_LOCATION_CONFIG: empty.path })).toThrow('--config')
    await using command = startNodeIn(here.path, BIN, 'check')
    expect(await command.exit).toBe(23)
    expect(command.err()).toContain('error: config.json:1:')
    await using none = startNodeIn(empty.path, BIN, 'run')
    expect(await none.exit).toBe(2)
    expect(none.err()).toContain('--config')
  })
})

describe('sluice run', () => {
  it('sends the account of a flat Xray outbound', async () => {
    await using target = await startTarget('banner')
    await using proxy = await connectProxy({ auth: { user: 'u', pass: 'p' } })
    await using file = await configFile({
      inbounds: [{ protocol: 'HTTP', port: '0' }],
      outbounds: [{ protocol: 'http', settings: { address: '127.0.0.1', port: String(proxy.port), user: 'u', pass: 'p' } }],
    })
    await using command = startCommand('run', '-config', file.path)
    const socket = await connectTo(await command.port())
    let text = ''
    socket.on('data', (chunk: Buffer) => { text += chunk.toString('latin1') })
    socket.write(`CONNECT 127.0.0.1:${target.port} HTTP/1.1\r\nHost: 127.0.0.1:${target.port}\r\n\r\n`)
    await until(() => text.includes('SSH-'), () => `the banner: ${text}${command.err()}`, 10_000)
    socket.destroy()
  })
})
