import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { formatEndpoint, parseAuthority, tcp } from '../src/index.js'

describe('parseAuthority()', () => {
  it('reads back what formatEndpoint() writes', () => {
    const host = fc.oneof(fc.domain(), fc.ipV4(), fc.ipV6())
    fc.assert(fc.property(host, fc.integer({ min: 1, max: 65_535 }), (name, port) => {
      expect(parseAuthority(formatEndpoint({ host: name, port }))).toEqual({ host: name, port })
    }))
  })

  it.each([
    ['example.com:443', 'example.com', 443], ['[::1]:80', '::1', 80], ['1.2.3.4:65535', '1.2.3.4', 65_535], ['EXAMPLE.com:1', 'EXAMPLE.com', 1],
  ])('reads %s', (text, host, port) => {
    expect(parseAuthority(text)).toEqual({ host, port })
  })

  it.each([
    '', ':', ':80', 'host', 'host:', 'host:0', 'host:00', 'host:080', 'host:65536', 'host:99999', 'host:100000', 'host:-1', 'host:+1', 'host:1e3', 'host:0x50',
    'host: 80', 'host:80 ', 'host:80\n', 'host:８０', '::1:80', '[::1]', '[::1]80', '[]:80', '[[::1]]:80', 'host]:80', 'host:80:80',
  ])('refuses %j', (text) => {
    expect(parseAuthority(text)).toBeUndefined()
  })

  it('answers any text with an endpoint or undefined', () => {
    fc.assert(fc.property(fc.string({ unit: fc.constantFrom('a', '.', ':', '[', ']', '0', '1', '9', '-', ' ', '\n', 'é', '😀') }), (text) => {
      const endpoint = parseAuthority(text)
      expect(endpoint === undefined || endpoint.port >= 1 && endpoint.port <= 65_535 && endpoint.host !== '').toBe(true)
    }))
  })
})

describe('tcp()', () => {
  it('is a TCP destination', () => {
    expect(tcp('example.com', 443)).toEqual({ network: 'tcp', host: 'example.com', port: 443 })
  })
})
