import { chmod, readdir, readFile, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { configFile, configFolder } from './command.js'
import { runMain } from './run-main.js'

describe('sluice dump', () => {
  it('writes what several files come to, in present words and without any secret', async () => {
    await using folder = await configFolder({
      'a.json': `{ "inbound": { "tag": "in", "protocol": "http", "port": "1", "settings": { "users": [{ "user": "u", "pass": "hunter2" }] } } }`,
      'b.yaml': [
        'Outbounds:',
        '  - protocol: http',
        '    settings: { address: p.test, port: 2, user: u, pass: hunter2, headers: { X-Token: hunter2 } }',
        '    streamSettings: { security: tls, tlsSettings: { serverName: s.test } }',
      ].join('\n'),
    })
    const { code, out, err } = await runMain('dump', '--json', '-c', join(folder.path, 'a.json'), '-c', join(folder.path, 'b.yaml'))
    expect(err).not.toMatch(/^error/m)
    expect(code).toBe(0)
    expect(JSON.parse(out)).toEqual({
      inbounds: [{ tag: 'in', protocol: 'http', port: 1, settings: { accounts: [{ user: 'u', pass: '***' }] } }],
      outbounds: [{
        protocol: 'http',
        settings: { servers: [{ address: 'p.test', port: 2, users: [{ user: 'u', pass: '***' }] }], headers: { 'X-Token': '***' } },
        streamSettings: { security: 'tls', tlsSettings: { serverName: 's.test' } },
      }],
    })
    expect(out + err).not.toContain('hunter2')
  })

  it('writes nothing of a config that cannot be used', async () => {
    await using file = await configFile({ inbounds: [{ protocol: 'http', port: 1, pass: 'hunter2' }] })
    const { code, out, err } = await runMain('dump', '-c', file.path)
    expect({ code, out }).toEqual({ code: 23, out: '' })
    expect(err).not.toContain('hunter2')
  })
})

describe('sluice adapt', () => {
  it.each(['v2ray', 'xray'])('writes a config of %s that check takes without a word', async (from) => {
    await using file = await configFile({
      inbound: { listen: '0.0.0.0', protocol: 'socks', port: '1080', settings: { auth: 'noauth' } },
      outbounds: [
        { protocol: 'http', settings: { address: 'p.test', port: 1, user: 'u', pass: 'secret' }, mux: { enabled: true } }, { protocol: 'direct' },
      ],
    })
    const { code, out, err } = await runMain('adapt', '--from', from, file.path)
    expect(code).toBe(0)
    expect(err).toMatch(/^warning: .*outbounds\[0\]\.mux: is ignored/m)
    expect(out).toContain('"pass": "secret"')
    await using adapted = await configFile(out)
    expect(await runMain('check', '--strict', '--allow-open', '-c', adapted.path)).toEqual({ code: 0, out: 'Configuration OK.\n', err: '' })
  })

  it('makes a config with local listeners of the URLs of a chain', async () => {
    const { code, out } = await runMain('adapt', '--from', 'url', 'http://u:p@near.test:3128', 'https://far.test')
    expect(code).toBe(0)
    expect(JSON.parse(out)).toMatchObject({
      inbounds: [{ protocol: 'socks', listen: '127.0.0.1', port: 1080 }, { protocol: 'http', port: 8080 }],
      outbounds: [
        { settings: { servers: [{ address: 'far.test', port: 443 }] }, streamSettings: { security: 'tls' }, proxySettings: { tag: 'hop1' } },
        { tag: 'hop1', settings: { servers: [{ address: 'near.test', port: 3128, users: [{ user: 'u', pass: 'p' }] }] } },
      ],
    })
    expect((await runMain('adapt', '--from', 'url', 'nonsense')).code).toBe(2)
    expect((await runMain('adapt', 'x')).code).toBe(2)
  })
})

const UGLY = '\uFEFF{ // one\r\n"inbounds":[{"port":1,"protocol":"socks",},], # two\n#\n  /* three */ "log":{}}'
const NEAT = '{ // one\n  "inbounds": [\n    {\n      "port": 1,\n      "protocol": "socks",\n    },\n  ], # two\n  #\n  /* three */ "log": {}\n}\n'

describe('sluice fmt', () => {
  it('lays a config out, keeps its comments and changes nothing twice', async () => {
    await using folder = await configFolder({ 'a.json': UGLY, 'b.json': NEAT, 'c.yaml': '# one\na:   1 # two\nb: [ 1,2 ]\n' })
    expect(await runMain('fmt', join(folder.path, 'a.json'))).toEqual({ code: 0, out: NEAT, err: '' })
    expect(await runMain('fmt', join(folder.path, 'b.json'))).toEqual({ code: 0, out: NEAT, err: '' })
    expect(await runMain('fmt', join(folder.path, 'c.yaml'))).toEqual({ code: 0, out: '# one\na: 1 # two\nb: [ 1, 2 ]\n', err: '' })
  })

  it('writes into the file with -w, with its rights, and leaves nothing beside it', async () => {
    await using file = await configFile(UGLY)
    await chmod(file.path, 0o640)
    expect(await runMain('fmt', '-w', file.path)).toEqual({ code: 0, out: '', err: '' })
    expect(await readFile(file.path, 'utf8')).toBe(NEAT)
    expect((await stat(file.path)).mode & 0o777).toBe(0o640)
    expect(await readdir(dirname(file.path))).toHaveLength(1)
  })

  it.each([['a.json', '{ "pass": "hunter2', /a\.json:1:11/], ['a.toml', 'a = 1 # kept', /only JSON and YAML/]])(
    'leaves %s alone that it cannot lay out', async (name, content, message) => {
      await using folder = await configFolder({ [name]: content })
      const path = join(folder.path, name)
      const { code, out, err } = await runMain('fmt', '-w', path)
      expect({ code, out }).toEqual({ code: 23, out: '' })
      expect(err).toMatch(message)
      expect(err).not.toContain('hunter2')
      expect(await readFile(path, 'utf8')).toBe(content)
    })
})
