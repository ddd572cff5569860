// The rules that both sides get, and for each of them sessions that it should take.

const RAW = 'hello there\r\n'
const PRIVATE = [
  '0.0.0.0/8', '10.0.0.0/8', '100.64.0.0/10', '127.0.0.0/8', '169.254.0.0/16', '172.16.0.0/12', '192.0.0.0/24', '192.0.2.0/24',
  '192.88.99.0/24', '192.168.0.0/16', '198.18.0.0/15', '198.51.100.0/24', '203.0.113.0/24', '224.0.0.0/3',
]

export const GEOSITE = {
  ONE: ['domain:one-suffix.test', 'full:www.one-full.test', 'keyword:onekeyword', 'regexp:^one[0-9]+\\.expr\\.test$'],
  TWO: ['domain:two-cn.test@cn', 'domain:two-none.test', 'full:two-both.test@cn'],
}
export const GEOIP = { PRIVATE, AA: ['20.0.0.0/12', '21.5.0.0/16', '22.1.2.0/23'], BB: ['30.0.0.0/8'] }

/** Names that no rule takes, though one nearly does. */
const NEAR = [
  'x.exact.full.test', 'nosuffix.test', 'subst.test', 'kwor.test', 're1.a.test', 're12.c.test', 'xre12.a.test', 'x.www.one-full.test',
  'one.expr.test', 'name.sniffed-other.test',
]

/** Every name that may have to be resolved: nobody is asked, for v2ray would wait long for one who does not answer. */
export const HOSTS = {
  'domain:ten.test': '10.1.2.3', 'domain:aa.test': '20.1.1.1', 'domain:plain.test': '9.9.9.9',
  ...Object.fromEntries(NEAR.map((name) => [`full:${name}`, '9.9.9.9'])),
}

const label = (random) => `h${Math.floor(random() * 1e6).toString(36)}`
const octet = (random) => Math.floor(random() * 256)
const any = (random, list) => list[Math.floor(random() * list.length)]
const named = (make) => (random) => ({ inbound: 'in-a', host: make(random), port: 8443 })
const at = (host, more) => ({ inbound: 'in-a', host, port: 8443, ...more })

/** A session that few rules take. */
export const plainRequest = (random) => at(any(random, [`${label(random)}.plain.test`, `40.${octet(random)}.1.1`]))

/** Each with a tag that is also its outbound's. `attrs` differs: v2ray's is Starlark. */
export const RULES = [
  { tag: 'r-inbound-port', rule: { inboundTag: ['in-b'], port: '1000-1009,1020' }, make: (random) => ({
    inbound: any(random, ['in-b', 'in-b', 'in-a']),
    host: `${label(random)}.plain.test`,
    port: any(random, [1000, 1005, 1009, 1020, 1010, 999]),
  }) },
  { tag: 'r-inbound', rule: { inboundTag: ['in-b'] }, make: (random) => ({ ...plainRequest(random), inbound: 'in-b' }) },
  {
    tag: 'r-user', rule: { user: ['ann', 'bob'] },
    make: (random) => ({ ...plainRequest(random), inbound: 'in-auth', user: any(random, ['ann', 'bob', 'eve']) }),
  },
  {
    tag: 'r-source', rule: { source: ['127.0.0.2', '127.9.0.0/16'] },
    make: (random) => ({ ...plainRequest(random), from: any(random, ['127.0.0.2', '127.9.7.7', '127.0.0.3']) }),
  },
  {
    tag: 'r-source-port', rule: { sourcePort: '23000-23999' },
    make: (random, index) => ({ ...plainRequest(random), fromPort: 23_000 + index }),
  },
  { tag: 'r-attrs', rule: { inboundTag: ['in-a'] }, attrs: ['attrs[\':method\'] == \'POST\'', { ':method': '^POST$' }],
    make: (random) => ({ inbound: 'in-a', host: `${label(random)}.plain.test`, port: 80, plain: any(random, ['POST', 'POST', 'GET']) }) },
  { tag: 'r-tls', rule: { inboundTag: ['in-sniff'], protocol: ['tls'] }, make: (random) => ({
    inbound: 'in-sniff', host: `50.${octet(random)}.0.1`, port: 8443, payload: any(random, ['tls', 'raw']) }) },
  { tag: 'r-sniffed-name', rule: { inboundTag: ['in-sniff'], domain: ['domain:sniffed.test'] }, make: (random) => ({
    inbound: 'in-sniff', host: `50.${octet(random)}.0.2`, port: 8080, payload: 'http', name: `${label(random)}.sniffed.test` }) },
  { tag: 'r-http', rule: { inboundTag: ['in-sniff'], protocol: ['http'] }, make: (random) => ({
    inbound: 'in-sniff', host: `50.${octet(random)}.0.3`, port: 8080, payload: any(random, ['http', 'raw']) }) },
  {
    tag: 'r-full', rule: { domain: ['full:exact.full.test', 'full:other.full.test'] },
    make: named((random) => any(random, ['exact.full.test', 'other.full.test', 'x.exact.full.test'])),
  },
  {
    tag: 'r-domain', rule: { domain: ['domain:suffix.test'] },
    make: named((random) => any(random, [
      'suffix.test', `${label(random)}.suffix.test`, `a.${label(random)}.suffix.test`, 'nosuffix.test',
    ])),
  },
  {
    tag: 'r-substring', rule: { domain: ['substr'] },
    make: named((random) => any(random, [`a${label(random)}substr.plain.test`, `substr.${label(random)}.test`, 'subst.test'])),
  },
  {
    tag: 'r-keyword', rule: { domains: ['keyword:kword'] },
    make: named((random) => any(random, [`x${label(random)}kwordx.test`, 'kwor.test'])),
  },
  {
    tag: 'r-regexp', rule: { domain: ['regexp:^re[0-9]{2,4}\\.(a|b)\\.test$'] },
    make: named((random) => any(random, ['re12.a.test', 're9999.b.test', 're1.a.test', 're12.c.test', 'xre12.a.test'])),
  },
  {
    tag: 'r-dotless', rule: { domain: ['dotless:dotl'] },
    make: named((random) => any(random, [`dotl${label(random)}`, `a${label(random)}dotl`])),
  },
  {
    tag: 'r-geosite', rule: { domain: ['geosite:one'] },
    make: named((random) => any(random, [
      'one-suffix.test', `${label(random)}.one-suffix.test`, 'www.one-full.test', 'x.www.one-full.test',
      `${label(random)}onekeyword.test`, 'one42.expr.test', 'one.expr.test',
    ])),
  },
  {
    tag: 'r-geosite-attr', rule: { domain: ['geosite:two@cn'] },
    make: named((random) => any(random, ['two-cn.test', `${label(random)}.two-cn.test`, 'two-both.test', 'two-none.test'])),
  },
  {
    tag: 'r-ext', rule: { domain: ['ext:geosite.dat:two'] },
    make: named((random) => any(random, ['two-none.test', `${label(random)}.two-none.test`])),
  },
  {
    tag: 'r-ip', rule: { ip: ['60.1.2.3', '61.0.0.0/9', '2001:db8::/32'] },
    make: (random) => at(any(random, ['60.1.2.3', '60.1.2.4', `61.${octet(random)}.0.1`, '2001:db8::1', '2001:db9::1'])),
  },
  {
    tag: 'r-geoip', rule: { ip: ['geoip:aa'] },
    make: (random) => at(any(random, [`20.${octet(random) >> 3}.1.1`, '21.5.255.1', '22.1.3.255', '22.1.4.0', `${label(random)}.aa.test`])),
  },
  { tag: 'r-ext-ip', rule: { ip: ['ext:geoip.dat:bb'] }, make: (random) => at(any(random, [`30.${octet(random)}.0.1`, '31.0.0.1'])) },
  {
    tag: 'r-private', rule: { ip: ['geoip:private'] },
    make: (random) => at(any(random, ['10.5.5.5', '192.168.7.7', '172.31.0.1', '172.32.0.1', '100.64.0.1', `${label(random)}.ten.test`])),
  },
  {
    tag: 'r-network', rule: { network: 'tcp', port: 9000 },
    make: (random) => ({ ...plainRequest(random), port: any(random, [9000, 9000, 9001]) }),
  },
  {
    tag: 'r-balancer-one', balancer: 'one', rule: { port: '9100-9199' },
    make: (random) => ({ ...plainRequest(random), port: 9100 + Math.floor(random() * 101) }),
  },
  {
    tag: 'r-balancer-many', balancer: 'many', rule: { port: '9300-9399' },
    make: (random) => ({ ...plainRequest(random), port: 9300 + Math.floor(random() * 101) }),
  },
]

export const BALANCERS = [{ tag: 'one', selector: ['single-'] }, { tag: 'many', selector: ['many-'] }]
export const MEMBERS = ['single-1', 'many-1', 'many-2', 'many-3']
export { RAW }
