import { ROUTER, type Config, type Context, type Route } from '@sluice/core'
import { describe, expect, it } from 'vitest'
import { instanceOf, linesOf } from './instance.js'

function session(inboundTag: string, network: 'tcp' | 'udp' = 'tcp'): Context {
  return {
    id: '1',
    inboundTag,
    target: { network, host: 'example.com', port: 443 },
    signal: new AbortController().signal,
    record: { startedAt: 0, uplinkBytes: 0, downlinkBytes: 0, attempts: 0 },
  }
}

/** What the rules say, with the default spelled out. */
async function route(rules: unknown, inboundTag: string, network: 'tcp' | 'udp' = 'tcp'): Promise<Route | 'first outbound'> {
  return await instanceOf({ rules }).get(ROUTER).route(session(inboundTag, network)) ?? 'first outbound'
}

const lines = linesOf

describe('route()', () => {
  it('leaves everything to the first outbound where there are no rules', async () => {
    expect(await instanceOf(undefined).get(ROUTER).route(session('office'))).toBeUndefined()
    expect(await route([], 'office')).toBe('first outbound')
  })

  it('takes the first rule that matches and names it', async () => {
    const rules = [
      { inboundTag: ['guests'], outboundTag: 'direct' },
      { inboundTag: ['office'], outboundTag: 'proxy' },
      { inboundTag: ['office', 'guests'], outboundTag: 'direct' },
    ]
    expect(await route(rules, 'office')).toEqual({ outboundTag: 'proxy', rule: 'rules[1]' })
    expect(await route(rules, 'guests')).toEqual({ outboundTag: 'direct', rule: 'rules[0]' })
    expect(await route(rules, 'elsewhere')).toBe('first outbound')
  })

  it('names a rule by its ruleTag', async () => {
    expect(await route([{ type: 'field', ruleTag: 'staff', inboundTag: 'office', outboundTag: 'proxy' }], 'office')).toEqual({ outboundTag: 'proxy', rule: 'staff' })
  })

  it.each([['office', 'office'], ['a text with commas', 'guests, office'], ['a list', ['guests', 'office']]])('reads inboundTag as %s', async (_, inboundTag) => {
    expect(await route([{ inboundTag, outboundTag: 'direct' }], 'office')).toMatchObject({ outboundTag: 'direct' })
  })

  it('compares tags exactly', async () => {
    for (const tag of ['Office', 'offic', 'office2', '']) expect(await route([{ inboundTag: 'office', outboundTag: 'direct' }], tag)).toBe('first outbound')
  })

  it('matches by network, and a rule for both takes everything', async () => {
    expect(await route([{ network: 'udp', outboundTag: 'direct' }], 'office', 'tcp')).toBe('first outbound')
    expect(await route([{ network: 'udp', outboundTag: 'direct' }], 'office', 'udp')).toMatchObject({ outboundTag: 'direct' })
    expect(await route([{ network: 'tcp,udp', outboundTag: 'direct' }], 'office', 'tcp')).toMatchObject({ outboundTag: 'direct' })
  })

  it('wants all conditions of a rule to hold', async () => {
    const rules = [{ inboundTag: 'office', network: ['udp'], outboundTag: 'direct' }]
    expect(await route(rules, 'office', 'tcp')).toBe('first outbound')
    expect(await route(rules, 'guests', 'udp')).toBe('first outbound')
    expect(await route(rules, 'office', 'udp')).toMatchObject({ outboundTag: 'direct' })
  })
})

describe('the check of the section', () => {
  it('tells all faults at once, each with its path', () => {
    expect(lines({
      domainStrategy: 'IPIfNonMatch',
      rules: [
        { inboundTag: 'office', outboundTag: 'prxy' },
        { inboundTag: 'office' },
        { outboundTag: 'direct' },
        { domain: ['ext:cn'], inboundTag: ['office'], outboundTag: 'direct' },
        { network: 'tcp,sctp', outboundTag: 'somewhere else' },
      ],
    })).toEqual([
      'error routing.rules[0].outboundTag: no outbound has the tag "prxy" (did you mean "proxy"?)',
      'error routing.rules[1].outboundTag: missing',
      'error routing.rules[2]: has no condition and would take every session (name a condition, as domain, ip, port or inboundTag; the first outbound takes what no rule takes)',
      'error routing.rules[3].domain: "ext:cn" is not written as ext:FILE:LIST',
      'error routing.rules[4].outboundTag: no outbound has the tag "somewhere else" (known are "proxy", "direct")',
      'error routing.rules[4].network: must be "tcp" or "udp", not "sctp"',
    ])
  })

  it.each([
    'process', 'vlessRoute', 'localOS', 'localIP', 'localPort', 'webhook',
  ])('never leaves the condition %s out', (condition) => {
    const rule = { [condition]: ['x'], inboundTag: 'office', outboundTag: 'direct' }
    expect(lines({ rules: [rule] })).toEqual([`error routing.rules[0].${condition}: not supported yet`])
  })

  it('tells balancers that select nothing, fall back to nobody, or are not there', () => {
    const rule = { inboundTag: 'office', balancerTag: 'b' }
    expect(lines({ balancers: [{ tag: 'b', selector: ['x'] }], rules: [rule] })).toEqual([
      'error routing.balancers[0].selector: selects no outbound (known are "proxy", "direct")',
    ])
    expect(lines({ balancers: [{ tag: 'c', selector: ['x'], fallbackTag: 'dirct' }], rules: [rule] })).toEqual([
      'error routing.rules[0].balancerTag: no balancer has the tag "b" (did you mean "c"?)',
      'error routing.balancers[0].fallbackTag: no outbound has the tag "dirct" (did you mean "direct"?)',
    ])
  })

  it.each([
    ['domain', 'regexp:(', 'error routing.rules[0].domain: "regexp:(" is no regular expression'],
    ['domain', 'ful:a', 'error routing.rules[0].domain: "ful:a" has an unknown form "ful:"'],
    ['ip', 'geoip:cn', 'error routing.rules[0].ip: "geoip:cn" needs the data file'],
    ['domain', 'geosite:cn', 'error routing.rules[0].domain: "geosite:cn" needs the data file'],
    ['user', 'regexp:(', 'error routing.rules[0].user: "regexp:(" is no regular expression'],
    ['attrs', { ':method': '(' }, 'error routing.rules[0].attrs: "(" is no regular expression'],
    ['attrs', 'attrs[":method"] == "GET"', 'error routing.rules[0].attrs: is a Starlark expression, which is not supported'],
    ['attrs', {}, 'error routing.rules[0].attrs: must not be empty'],
    ['ip', '300.1.1.1', 'error routing.rules[0].ip: "300.1.1.1" is neither an IP address nor a CIDR'],
    ['source', '10.0.0.0/33', 'error routing.rules[0].source: "10.0.0.0/33" is neither'],
    ['port', '1-70000', 'error routing.rules[0].port: has no ports: "1-70000"'],
    ['sourcePort', '5-1', 'error routing.rules[0].sourcePort: has no ports: "5-1"'],
  ])('refuses %s %j', (key, value, line) => {
    expect(lines({ rules: [{ [key]: value, outboundTag: 'direct' }] })).toEqual([expect.stringContaining(line)])
  })

  it('warns of a protocol that is never recognised', () => {
    expect(lines({ rules: [{ protocol: ['bittorrent', 'tls', 'HTTP'], outboundTag: 'direct' }] })).toEqual([
      'warning routing.rules[0].protocol: "bittorrent" never holds: only http and tls are recognised',
    ])
  })

  it('refuses the old form, in which rules stand below settings', () => {
    expect(lines({ strategy: 'rules', settings: { rules: [] } })).toEqual([
      'error routing.settings: not supported yet (write rules and domainStrategy directly into routing)',
      'error routing.strategy: not supported yet (write rules and domainStrategy directly into routing)',
    ])
  })

  it('reads strategies in whatever spelling', () => {
    const rules = [{ ip: '10.0.0.0/8', balancerTag: 'b' }]
    const balancers = [{ tag: 'b', selector: ['proxy'], strategy: { type: 'roundrobin' } }]
    for (const domainStrategy of ['asis', 'IP_IF_NON_MATCH', 'ip-on-demand', '']) expect(lines({ domainStrategy, rules, balancers })).toEqual([])
    expect(lines({ balancers: [null, { tag: 'b', selector: ['proxy'], strategy: { type: 5 } }] })).not.toEqual([])
  })

  it('refuses a misspelt condition, which would make the rule wider', () => {
    expect(lines({ rules: [{ inboundTagg: 'office', network: 'tcp', outboundTag: 'direct' }] })).toEqual([
      'error routing.rules[0].inboundTagg: unknown key (did you mean "inboundTag"?)',
    ])
  })

  it.each([['', 'network'], [',', 'inboundTag'], [[], 'inboundTag'], [[''], 'inboundTag'], [[], 'network']])('refuses the empty list %j of %s', (list, key) => {
    expect(lines({ rules: [{ [key]: list, outboundTag: 'direct' }] })).toEqual([`error routing.rules[0].${key}: must not be empty`])
  })

  it('only warns of an inbound that does not exist: such a rule is narrower, not wider', () => {
    expect(lines({ rules: [{ inboundTag: ['office', 'ofice'], outboundTag: 'direct' }] })).toEqual([
      'warning routing.rules[0].inboundTag: no inbound has the tag "ofice" (did you mean "office"?)',
    ])
  })

  it('accepts what changes nothing here', () => {
    expect(lines({ domainStrategy: 'IPOnDemand', domainMatcher: 'mph', rules: [{ type: 'field', domainMatcher: 'linear', network: 'tcp', outboundTag: 'direct' }] })).toEqual([])
  })

  it.each([
    [{ rules: {} }, 'error routing.rules: must be an array, not an object'],
    [{ rules: [{ type: 'chinaip', network: 'tcp', outboundTag: 'direct' }] }, 'error routing.rules[0].type: must be one of "field", not "chinaip"'],
    [{ domainStrategy: 'Asi' }, 'error routing.domainStrategy: must be one of "AsIs", "IPIfNonMatch", "IPOnDemand", not "Asi" (did you mean "AsIs"?)'],
    [{ rules: [{ inboundTag: 5, outboundTag: 'direct' }] }, 'error routing.rules[0].inboundTag: must be a list of tags, or one text with commas between them, not 5'],
  ])('refuses %j', (routing, line) => {
    expect(lines(routing)).toEqual([line])
  })
})

describe('RoutingSettings', () => {
  it('makes a rule that cannot be kept a compile error', () => {
    // @ts-expect-error there are no rules by process
    const config: Config = { routing: { rules: [{ process: ['a'], outboundTag: 'direct' }] } }
    expect(lines((config as { routing: unknown }).routing)).toHaveLength(1)
  })
})
