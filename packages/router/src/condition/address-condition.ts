import ipaddr from 'ipaddr.js'
import type { Condition, RoutingFacts } from './condition.js'

type Address = ipaddr.IPv4 | ipaddr.IPv6
type Range = readonly [Address, number]

/** A value of `ip` or `source` that cannot be used, and why. */
export class BadAddressPattern extends Error {}

/** What no public address is in: private, loopback, link-local, shared, reserved and multicast ranges of both families. */
const PRIVATE = [
  '0.0.0.0/8', '10.0.0.0/8', '100.64.0.0/10', '127.0.0.0/8', '169.254.0.0/16', '172.16.0.0/12', '192.0.0.0/24', '192.0.2.0/24',
  '192.88.99.0/24', '192.168.0.0/16', '198.18.0.0/15', '198.51.100.0/24', '203.0.113.0/24', '224.0.0.0/3',
  '::/127', 'fc00::/7', 'fe80::/10', 'ff00::/8',
]

/**
 * Addresses by IP, CIDR or `geoip:private`; `!` before one means any other.
 *
 * @param addressesOf What is compared: the target's addresses, or the client's.
 * @throws {BadAddressPattern}
 */
export function addressCondition(
  key: string, values: readonly string[], addressesOf: (facts: RoutingFacts) => readonly string[] | undefined, needsAddresses = false,
): Condition {
  const tests = values.map((value) => {
    const negated = value.startsWith('!') || value.startsWith('geoip:!')
    const ranges = rangesOf(negated ? value.replace('!', '') : value)
    return (address: Address): boolean => ranges.some((range) => contains(range, address)) !== negated
  })
  return {
    key,
    needsAddresses,
    matches: (facts) => (addressesOf(facts) ?? []).some((text) => {
      if (!ipaddr.isValid(text)) return false
      const address = ipaddr.process(text)
      return tests.some((test) => test(address))
    }),
  }
}

function rangesOf(value: string): Range[] {
  if (value === 'geoip:private') return PRIVATE.map((cidr) => ipaddr.parseCIDR(cidr))
  if (value.startsWith('geoip:') || value.startsWith('ext:')) {
    throw new BadAddressPattern(`needs a data file ("${value.split(':')[0]}:"), which is not supported yet; "geoip:private" needs none`)
  }
  if (ipaddr.isValidCIDR(value)) return [ipaddr.parseCIDR(value)]
  if (!ipaddr.IPv4.isValidFourPartDecimal(value) && !ipaddr.IPv6.isValid(value)) {
    throw new BadAddressPattern('is neither an IP address nor a CIDR')
  }
  const address = ipaddr.process(value)
  return [[address, address.kind() === 'ipv4' ? 32 : 128]]
}

function contains([network, bits]: Range, address: Address): boolean {
  return network.kind() === address.kind() && address.match(network, bits)
}
