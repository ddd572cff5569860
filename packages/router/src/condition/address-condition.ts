import { NO_GEO_DATA, type GeoData } from '../geodata/geo-data.js'
import { BadPattern } from './bad-pattern.js'
import type { Condition, RoutingFacts } from './condition.js'
import { fileAndList } from './domain-condition.js'
import { addressBytes, IpSet, type Cidr } from './ip-set.js'

/** Whether an address, as bytes, is meant. */
export type Test = (address: ArrayLike<number>) => boolean

/** What no public address is in: private, loopback, link-local, shared, reserved and multicast ranges of both families. */
const PRIVATE = [
  '0.0.0.0/8', '10.0.0.0/8', '100.64.0.0/10', '127.0.0.0/8', '169.254.0.0/16', '172.16.0.0/12', '192.0.0.0/24', '192.0.2.0/24',
  '192.88.99.0/24', '192.168.0.0/16', '198.18.0.0/15', '198.51.100.0/24', '203.0.113.0/24', '224.0.0.0/3',
  '::/127', 'fc00::/7', 'fe80::/10', 'ff00::/8',
]

const PREFIX = /^\d{1,3}$/

/** What the networks of a condition are compared with, and where lists of them come from. */
export interface AddressConditionOptions {
  /** The target's addresses, or the client's. */
  readonly addressesOf: (facts: RoutingFacts) => readonly string[] | undefined
  /** @default false */
  readonly needsAddresses?: boolean
  readonly data?: GeoData
}

/**
 * Addresses by IP, CIDR, `geoip:LIST`, `geoip:private` (which needs no data file) and `ext:FILE:LIST`; `!` before one means any
 * other.
 *
 * @throws {BadPattern}
 */
export function addressCondition(key: string, values: readonly string[], options: AddressConditionOptions): Condition {
  const { addressesOf, needsAddresses = false, data = NO_GEO_DATA } = options
  const isMeant = addressTest(values, data)
  return {
    key,
    needsAddresses,
    matches: (facts) => (addressesOf(facts) ?? []).some((text) => {
      const address = addressBytes(text)
      return address !== undefined && isMeant(address)
    }),
  }
}

/** All that is not negated is one set, however many values it comes from. @throws {BadPattern} */
export function addressTest(values: readonly string[], data: GeoData): Test {
  const networks: Cidr[] = []
  const tests: Test[] = []
  for (const value of values) {
    const isNegated = /^(?:geoip:|ext:[^:]*:|ext-ip:[^:]*:)?!/.test(value)
    const { networks: found, isInverse } = networksOf(isNegated ? value.replace('!', '') : value, data)
    if (isNegated === isInverse) for (const network of found) networks.push(network)
    else {
      const set = new IpSet(found)
      tests.push((address) => !set.has(address))
    }
  }
  const set = new IpSet(networks)
  return (address) => set.has(address) || tests.some((test) => test(address))
}

function networksOf(value: string, data: GeoData): { readonly networks: readonly Cidr[], readonly isInverse: boolean } {
  if (value.toLowerCase() === 'geoip:private') return { networks: PRIVATE.map(parseNetwork), isInverse: false }
  const [, form, text = ''] = /^(geoip|ext|ext-ip):(.+)$/.exec(value) ?? []
  if (form === 'geoip') return data.networks('geoip.dat', text)
  if (form !== undefined) return data.networks(...fileAndList(text))
  return { networks: [parseNetwork(value)], isInverse: false }
}

function parseNetwork(value: string): Cidr {
  const slash = value.indexOf('/')
  const text = slash === -1 ? value : value.slice(0, slash)
  const bytes = addressBytes(text)
  // ::ffff:a.b.c.d is an IPv4 address, and its prefix counts the 96 bits before that.
  const mapped = bytes?.length === 4 && text.includes(':') ? 96 : 0
  const most = mapped + (bytes?.length ?? 0) * 8
  const bits = slash === -1 ? most : PREFIX.test(value.slice(slash + 1)) ? Number(value.slice(slash + 1)) : Number.NaN
  if (bytes === undefined || !(bits >= mapped && bits <= most)) throw new BadPattern('is neither an IP address nor a CIDR')
  return { bytes, bits: bits - mapped }
}
