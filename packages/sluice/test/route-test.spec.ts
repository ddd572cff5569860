import { describe, expect, it } from 'vitest'
import { configFile } from './command.js'
import { runMain } from './run-main.js'

const CONFIG = `{
  "inbounds": [{ "tag": "in", "protocol": "socks", "port": 0 }],
  "outbounds": [{ "tag": "up", "protocol": "freedom" }, { "tag": "down", "protocol": "block" }],
  "routing": { "rules": [
    { "domain": ["full:bad.test"], "outboundTag": "down", "ruleTag": "bad" },
    { "ip": ["10.0.0.0/8"], "outboundTag": "down" },
    { "inboundTag": ["in"], "user": ["ann"], "source": ["192.0.2.0/24"], "sourcePort": "1-9", "outboundTag": "down" },
    { "network": "udp", "outboundTag": "down" }
  ] }
}`

describe('sluice route test', () => {
  it('says which rule wins, where it stands, and why those before it do not', async () => {
    await using file = await configFile(CONFIG)
    const { code, out, err } = await runMain('route', 'test', '-c', file.path, '10.1.2.3:80')
    expect({ code, err }).toEqual({ code: 0, err: '' })
    expect(out.replaceAll(file.path, 'FILE')).toBe([
      'tcp:10.1.2.3:80 goes to outbound "down" (blackhole), by rules[1]',
      '    bad: domain does not match ["full:bad.test"] (FILE:5:5)',
      '  → rules[1]: wins (FILE:6:5)',
      '    rules[2]: not reached (FILE:7:5)',
      '    rules[3]: not reached (FILE:8:5)',
      '',
    ].join('\n'))
  })

  it.each([
    [['bad.test:443'], 'down', 'bad'],
    [['good.test:443'], 'up', null],
    [['[2001:db8::1]:443'], 'up', null],
    [['good.test:443', '--inbound', 'in', '--user', 'ann', '--from', '192.0.2.7:5'], 'down', 'rules[2]'],
    [['good.test:443', '--inbound', 'in', '--user', 'ann', '--from', '192.0.2.7'], 'up', null],
    [['good.test:443', '--network', 'udp'], 'down', 'rules[3]'],
  ])('routes %j to %s', async (args, outbound, rule) => {
    await using file = await configFile(CONFIG)
    const { code, out } = await runMain('route', 'test', '--json', '-c', file.path, ...args)
    expect(code).toBe(0)
    expect(JSON.parse(out)).toMatchObject({ outbound, rule, rules: { length: 4 } })
  })

  it.each([[['nonsense'], /host:port/], [['a.test:1', '--from', 'b.test'], /--from/], [[], /target|host:port/]])('exits with 2 for %j', async (args, message) => {
    await using file = await configFile(CONFIG)
    const { code, err } = await runMain('route', 'test', '-c', file.path, ...args)
    expect(code).toBe(2)
    expect(err).toMatch(message)
  })

  it('exits with 23 for a config that cannot be used', async () => {
    await using file = await configFile({ inbounds: 1 })
    expect(await runMain('route', 'test', '-c', file.path, 'a.test:1')).toMatchObject({ code: 23, out: '' })
  })
})
