import { connect } from 'node:tls'
import fc from 'fast-check'
import { duplexPair } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { tcp, type SniffingSettings } from '@sluice/core'
import { RuleSniffer } from '../src/sniffers/rule-sniffer.js'
import { sniffHttp } from '../src/sniffers/sniff-http.js'
import { sniffTls } from '../src/sniffers/sniff-tls.js'
import { factsOf } from './facts.js'

/** What a TLS client of Node sends first. */
async function clientHello(servername?: string): Promise<Buffer> {
  const [socket, seen] = duplexPair()
  const client = connect({ socket, ...(servername === undefined ? {} : { servername }) })
  client.on('error', () => {})
  const hello = await new Promise<Buffer>((resolve) => seen.once('data', resolve))
  client.destroy()
  return hello
}

/** The same handshake message in records of at most so many bytes. */
function inRecords(hello: Buffer, size: number): Buffer {
  const message = hello.subarray(5)
  const records: Buffer[] = []
  for (let at = 0; at < message.length; at += size) {
    const part = message.subarray(at, at + size)
    records.push(Buffer.from([0x16, 3, 1, part.length >> 8, part.length & 255]), part)
  }
  return Buffer.concat(records)
}

const request = (host: string): Buffer => Buffer.from(`GET /a HTTP/1.1\r\nAccept: */*\r\nhOsT: ${host}\r\n\r\nbody`)

describe('sniffTls()', () => {
  it('finds the name, and says "more" for every beginning, in however many records', async () => {
    for (const hello of [await clientHello('www.name.test'), inRecords(await clientHello('www.name.test'), 50)]) {
      expect(sniffTls(hello)).toEqual({ protocol: 'tls', domain: 'www.name.test' })
      expect(sniffTls(Buffer.concat([hello, Buffer.from('more')]))).toEqual({ protocol: 'tls', domain: 'www.name.test' })
      for (let length = 0; length < hello.length; length++) expect(sniffTls(hello.subarray(0, length))).toBe('more')
    }
  })

  it('knows TLS without a name', async () => {
    expect(sniffTls(await clientHello())).toEqual({ protocol: 'tls' })
  })

  it.each(['GET / HTTP/1.1\r\n', 'SSH-2.0-x\r\n', '\u0016\u0002\u0001\u0000\u0001', '\u0016\u0003\u0001\u0000\u0000', '\u0016\u0003\u0001\u0000\u0004\u0002abc'])('gives %j up', (text) => {
    expect(sniffTls(Buffer.from(text, 'latin1'))).toBeUndefined()
  })

  it('survives whatever else is sent', async () => {
    const hello = await clientHello('www.name.test')
    fc.assert(fc.property(fc.array(fc.tuple(fc.nat(hello.length - 1), fc.nat(255)), { minLength: 1, maxLength: 5 }), (changes) => {
      const damaged = Buffer.from(hello)
      for (const [at, byte] of changes) damaged[at] = byte
      const found = sniffTls(damaged)
      if (typeof found === 'object') expect(found.protocol).toBe('tls')
    }))
  })
})

describe('sniffHttp()', () => {
  it.each([
    ['name.test', 'name.test'], ['Name.Test:8080', 'name.test'], ['name.test.', 'name.test'], ['10.0.0.1', undefined], ['[::1]:80', undefined],
    ['', undefined], ['a b', undefined], ['-a', undefined], ['x'.repeat(64), undefined], [`${'a.'.repeat(200)}test`, undefined], ['_x.test', '_x.test'],
  ])('reads the host %j as %j', (host, domain) => {
    expect(sniffHttp(request(host))).toEqual({ protocol: 'http', ...(domain === undefined ? {} : { domain }) })
  })

  it('says "more" for every beginning', () => {
    const bytes = request('name.test')
    const complete = bytes.indexOf('\r\n\r\n') + 2
    for (let length = 0; length < complete; length++) expect(sniffHttp(bytes.subarray(0, length))).toBe('more')
    expect(sniffHttp(bytes.subarray(0, complete))).toEqual({ protocol: 'http', domain: 'name.test' })
  })

  it('knows a request without a host', () => {
    expect(sniffHttp(Buffer.from('GET / HTTP/1.0\n\n'))).toEqual({ protocol: 'http' })
  })

  it.each(['GOT / HTTP/1.1\r\n', 'GET / FTP/1.1\r\n', 'PRI * HTTP/2.0\r\n', 'GET / HTTP/1.1\r\n: x\r\n', 'SSH-2.0'])('gives %j up', (text) => {
    expect(sniffHttp(Buffer.from(text))).toBeUndefined()
  })
})

describe('RuleSniffer', () => {
  const none = { byProtocol: false, byName: false }
  const both = { byProtocol: false, byName: true }
  const sniffer = (settings: SniffingSettings, rules = none, name = (_: string): boolean => false): RuleSniffer =>
    new RuleSniffer(settings, rules, { name, address: (address) => address === '192.0.2.9' })
  const to = (host: string) => factsOf(host).session

  it('wants only those sessions for which the result can matter', () => {
    expect(sniffer({ destOverride: ['tls'] }).wants(to('192.0.2.1'))).toBe(true)
    expect(sniffer({ destOverride: ['tls'] }).wants(to('name.test'))).toBe(false)
    expect(sniffer({}).wants(to('192.0.2.1'))).toBe(false)
    expect(sniffer({ destOverride: ['tls'], routeOnly: true }).wants(to('192.0.2.1'))).toBe(false)
    expect(sniffer({ destOverride: ['tls'], routeOnly: true }, both).wants(to('192.0.2.1'))).toBe(true)
    expect(sniffer({}, { ...none, byProtocol: true }).wants(to('name.test'))).toBe(true)
    expect(sniffer({ metadataOnly: true }, { ...none, byProtocol: true }).wants(to('name.test'))).toBe(false)
    expect(sniffer({ destOverride: ['tls'] }).wants(to('192.0.2.9'))).toBe(false)
    const udp = { ...to('192.0.2.1'), target: { ...tcp('192.0.2.1', 53), network: 'udp' as const } }
    expect(sniffer({ destOverride: ['tls'] }).wants(udp)).toBe(false)
  })

  it('uses a name only in place of an address, of a protocol that is asked for, and not where it is excluded', () => {
    const head = request('name.test')
    expect(sniffer({ destOverride: ['http'] }).read(head, to('192.0.2.1'))).toEqual({ protocol: 'http', domain: 'name.test' })
    expect(sniffer({ destOverride: ['tls'] }).read(head, to('192.0.2.1'))).toEqual({ protocol: 'http' })
    expect(sniffer({ destOverride: ['http'] }).read(head, to('other.test'))).toEqual({ protocol: 'http' })
    expect(sniffer({ destOverride: ['http'] }, none, (name) => name === 'name.test').read(head, to('192.0.2.1'))).toEqual({ protocol: 'http' })
    expect(sniffer({ destOverride: ['http'] }).read(head, to('192.0.2.9'))).toEqual({ protocol: 'http' })
    expect(sniffer({}).read(Buffer.from('SSH'), to('192.0.2.1'))).toBeUndefined()
    expect(sniffer({}).read(head.subarray(0, 2), to('192.0.2.1'))).toBe('more')
  })
})
