import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseAuthority, tcp, type ProxyError } from '@sluice/core'
import { formatTarget } from '../src/target-authority.js'

function codeOf(host: string, port: number): string {
  try {
    return formatTarget(tcp(host, port))
  } catch (error) {
    return (error as ProxyError).code
  }
}

describe('formatTarget()', () => {
  it('C160 writes addresses, brackets and the port always', () => {
    expect(formatTarget(tcp('1.2.3.4', 443))).toBe('1.2.3.4:443')
    expect(formatTarget(tcp('2001:db8::1', 443))).toBe('[2001:db8::1]:443')
    expect(formatTarget(tcp('example.com', 80))).toBe('example.com:80')
  })

  it.each([0, -1, 65_536, 1.5, Number.NaN])('C162 refuses port %d', (port) => {
    expect(codeOf('a', port)).toBe('TARGET')
  })

  it.each([1, 65_535])('C162 lets port %d pass', (port) => {
    expect(codeOf('a', port)).toBe(`a:${port}`)
  })

  it('C164 writes names with other letters in ASCII and keeps the rest as it is', () => {
    expect(formatTarget(tcp('münchen.de', 443))).toBe('xn--mnchen-3ya.de:443')
    expect(formatTarget(tcp('_dmarc.Example.COM', 25))).toBe('_dmarc.Example.COM:25')
  })

  it.each([
    '', 'a b', 'a\r\nb', 'a@b', 'user:pw@b', 'a/b', 'a?b', 'a#b', 'a%20b', '[::1]', '::1%eth0', 'a\0b', 'a\tb', 'x'.repeat(256),
    'ａ\r\nb', '１２７.0.0.1', 'a b.münchen.de', 'a:80',
  ])('C164 refuses %j as a host', (host) => {
    expect(codeOf(host, 80)).toBe('TARGET')
  })

  it('C166 refuses UDP', () => {
    expect(() => formatTarget({ network: 'udp', host: 'a', port: 53 })).toThrow(expect.objectContaining({ code: 'UNSUPPORTED' }))
  })

  it('never lets anything out that is not one authority', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary' }), fc.integer({ min: 1, max: 65_535 }), (host, port) => {
      const written = codeOf(host, port)
      if (written === 'TARGET') return
      expect(written).toMatch(/^(?:[A-Za-z0-9._-]+|\[[0-9a-fA-F:.]+\]):\d{1,5}$/)
      expect(parseAuthority(written)).toMatchObject({ port })
    }), { numRuns: 5_000 })
  })
})
