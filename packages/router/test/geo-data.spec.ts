import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, describe, expect, it } from 'vitest'
import { addressCondition } from '../src/condition/address-condition.js'
import { nameMatcher } from '../src/condition/domain-condition.js'
import { assetFolder, GeoFiles } from '../src/geodata/geo-data.js'
import { indexLists, readDomains, readNetworks } from '../src/geodata/geo-entries.js'
import { factsOf } from './facts.js'
import { geoip, geosite } from './geo-file.js'

const folder = mkdtempSync(join(tmpdir(), 'geo-data-'))
const site = geosite({
  CN: ['domain:baidu.com', 'full:www.qq.com', 'keyword:weibo', 'regexp:^a\\d+\\.test$'],
  GOOGLE: ['domain:google.com', 'domain:google.cn@cn', 'domain:ads.test@ads@cn'],
})
writeFileSync(join(folder, 'geosite.dat'), site)
writeFileSync(join(folder, 'geoip.dat'), geoip({
  CN: ['1.0.1.0/24', '1.0.2.0/23', `2408${'0'.repeat(28)}/20`], REST: ['5.0.0.0/8'], ALL: ['0.0.0.0/0'],
}, ['REST']))
writeFileSync(join(folder, 'damaged.dat'), Buffer.concat([site, Buffer.from([0x0a, 0x7f, 1])]))

afterAll(() => rmSync(folder, { recursive: true }))

const data = new GeoFiles(folder)
const meant = (pattern: string, name: string): boolean => nameMatcher([pattern], { data })(name)
const contains = (pattern: string, address: string): boolean =>
  addressCondition('ip', [pattern], { addressesOf: ({ addresses }) => addresses, data }).matches(factsOf('a', [address]))

describe('geosite', () => {
  it.each([
    ['geosite:cn', 'www.baidu.com'], ['geosite:CN', 'www.qq.com'], ['geosite:cn', 'm.weibo.com'], ['geosite:cn', 'a12.test'],
    ['geosite:google', 'google.cn'], ['geosite:google@cn', 'www.google.cn'], ['geosite:google@ads@cn', 'ads.test'],
    ['ext:geosite.dat:google', 'google.com'], ['ext:geosite.dat:google@cn', 'google.cn'],
  ])('%s has %s', (pattern, name) => {
    expect(meant(pattern, name)).toBe(true)
  })

  it.each([['geosite:cn', 'qq.com'], ['geosite:google@cn', 'google.com'], ['geosite:google@ads@cn', 'google.cn'], ['geosite:cn', 'b1.test']])(
    '%s has not %s', (pattern, name) => {
      expect(meant(pattern, name)).toBe(false)
    })
})

describe('geoip', () => {
  it.each([
    ['geoip:cn', '1.0.1.255'], ['geoip:cn', '1.0.3.1'], ['geoip:CN', '2408:1::1'], ['geoip:!cn', '1.0.4.0'], ['geoip:rest', '6.0.0.1'],
    ['geoip:!rest', '5.0.0.1'], ['ext:geoip.dat:cn', '1.0.1.1'], ['ext:geoip.dat:!cn', '9.9.9.9'], ['geoip:all', '9.9.9.9'],
  ])('%s has %s', (pattern, address) => {
    expect(contains(pattern, address)).toBe(true)
  })

  it.each([['geoip:cn', '1.0.0.255'], ['geoip:cn', '1.0.4.0'], ['geoip:!cn', '1.0.1.1'], ['geoip:rest', '5.0.0.1'], ['geoip:cn', '2418::1'], ['geoip:all', '::1']])(
    '%s has not %s', (pattern, address) => {
      expect(contains(pattern, address)).toBe(false)
    })
})

describe('GeoFiles', () => {
  it.each([
    ['geosite:gogle', `is not in the data file "${join(folder, 'geosite.dat')}"`, 'did you mean "google"?'],
    ['ext:none.dat:a', `needs the data file "${join(folder, 'none.dat')}", which cannot be read (ENOENT)`, expect.stringContaining('V2RAY_LOCATION_ASSET')],
    ['ext:damaged.dat:cn', `needs the data file "${join(folder, 'damaged.dat')}", which is damaged: field 1 is longer than what holds it`, undefined],
    ['ext:cn', 'is not written as ext:FILE:LIST', undefined],
    ['geosite:', 'names no list', undefined],
  ])('says of %s why it cannot be had', (pattern, message, hint) => {
    expect(() => meant(pattern, 'a')).toThrow(expect.objectContaining({ message, hint }) as Error)
  })

  it('looks where the environment says, else in the working directory', () => {
    expect(assetFolder({ V2RAY_LOCATION_ASSET: '/a', XRAY_LOCATION_ASSET: '/b' }, '/c')).toBe('/a')
    expect(assetFolder({ 'v2ray.location.asset': '/a' }, '/c')).toBe('/a')
    expect(assetFolder({ V2RAY_LOCATION_ASSET: '', XRAY_LOCATION_ASSET: '/b' }, '/c')).toBe('/b')
    expect(assetFolder({}, '/c')).toBe('/c')
  })
})

describe('readDomains() and readNetworks()', () => {
  it('refuse damaged data, and never fail otherwise', () => {
    const read = (bytes: Buffer): void => {
      try {
        for (const list of indexLists(bytes).values()) {
          readDomains(list)
          readNetworks(list)
        }
      } catch (error) {
        expect(error).toBeInstanceOf(RangeError)
      }
    }
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => read(Buffer.from(bytes))))
    fc.assert(fc.property(fc.nat(site.length - 1), fc.nat(255), (at, byte) => {
      const damaged = Buffer.from(site)
      damaged[at] = byte
      read(damaged)
    }))
  })
})
